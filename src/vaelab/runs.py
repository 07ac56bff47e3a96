"""The run folder: the only place that knows its file names."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vaelab.config import Config
from vaelab.data.fingerprint import Fingerprint
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name
from vaelab.tensors import write_bytes_safely

PRETRAINED = Path(__file__).parent / "pretrained"


@dataclass(frozen=True)
class Run:
    """One training run on disk."""

    folder: Path
    config: Config

    # --- finding and making ---------------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, name: str | Path) -> "Run":
        """An existing run: the path of its folder, or `pretrained:NAME` for one that ships in the package.

        Raises:
            VaelabError: where there is no such run, or a newer vaelab wrote it.
        """
        folder = _folder_of(str(name))
        path = folder / "config.toml"
        if not path.is_file():
            nearby = (
                [str(found.parent) for found in folder.parent.glob("*/config.toml")] if folder.parent.is_dir() else []
            )
            hint = nearest_name(str(folder), nearby) if nearby else translated("make one with: vaelab train")
            raise VaelabError(
                translated("{name}: no run there (expected a folder with config.toml); {hint}", name=name, hint=hint)
            )
        return cls(folder, Config.from_toml(path.read_text(encoding="utf-8"), source=str(path)))

    def with_parts(self, parts: Mapping[str, Any]) -> "Run":
        """The same run with the parts of its model that were given in Python, by name; a factory or a module each.

        Raises:
            VaelabError: for a part that this run has not, or has not from Python.
        """
        self.config.with_parts(parts)
        return self

    @classmethod
    def create(cls, folder: Path, config: Config, data: Fingerprint | None = None) -> "Run":
        """A new run folder with its configuration written, and what its data are known by.

        Raises:
            VaelabError: where something is there already, or it cannot be written.
        """
        with cls.being_made(folder, config, data):
            pass
        return cls(folder, config)

    @classmethod
    @contextmanager
    def being_made(cls, folder: Path, config: Config, data: Fingerprint | None = None) -> Iterator["Run"]:
        """As `create`, and what is written into the run meanwhile is there with it, or not at all.

        Raises:
            VaelabError: where something is there already, or it cannot be written.
        """
        if folder.exists():
            raise VaelabError(
                translated(
                    "{folder}: exists already; choose another --out, or go on with: vaelab train --resume {folder}",
                    folder=folder,
                )
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            # made whole under another name: whatever is killed, no folder is left that is no run
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
                made = Path(temporary) / "run"
                made.mkdir()
                write_bytes_safely(made / "config.toml", config.to_toml().encode())
                run = cls(made, config)
                if data is not None:
                    write_bytes_safely(run.data_file, (json.dumps(data.to_json(), indent=2) + "\n").encode())
                yield run
                made.rename(folder)
        except OSError as error:
            raise VaelabError(
                translated(
                    "{folder}: could not be made ({strerror}); choose another --out",
                    folder=folder,
                    strerror=error.strerror,
                )
            ) from None

    # --- its files ------------------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_packaged(self) -> bool:
        """Whether it ships in the package, which is not written to."""
        return self.folder.resolve().is_relative_to(PRETRAINED.resolve())

    @property
    def called(self) -> str:
        """What a command is given to mean this run."""
        return f"pretrained:{self.name}" if self.is_packaged else str(self.folder)

    @property
    def fit_prior_command(self) -> str:
        """What mends its prior, as a user types it: the package is not written to."""
        posterior = self.config.model.posterior
        if posterior.support.domain == "sphere":  # nothing is fitted there afterwards
            return f"vaelab train --posterior {posterior.kind} --prior vamp"
        kind = "autoregressive" if posterior.support.domain == "codes" else "mixture"
        if self.is_packaged:
            return f"vaelab fit-prior {self.called} {kind} --out {kind}.safetensors"
        return f"vaelab fit-prior {self.folder} {kind}"

    @property
    def model_file(self) -> Path:
        return self.folder / "model.safetensors"

    @property
    def checkpoint_file(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def data_file(self) -> Path:
        return self.folder / "data.json"

    @property
    def sample_file(self) -> Path:
        return self.folder / "sample.safetensors"

    @property
    def metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def environment_file(self) -> Path:
        return self.folder / "environment.json"

    @property
    def evaluation_file(self) -> Path:
        return self.folder / "evaluation.json"

    @property
    def report_file(self) -> Path:
        return self.folder / "report.html"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def tensorboard(self) -> Path:
        return self.folder / "tensorboard"

    def prior_file(self, name: str) -> Path:
        return self.folder / "priors" / f"{name}.safetensors"

    def prior_names(self) -> list[str]:
        """The priors fitted to this run so far."""
        return sorted(path.stem for path in (self.folder / "priors").glob("*.safetensors"))

    def snapshot_file(self, epoch: int) -> Path:
        return self.folder / "snapshots" / f"epoch-{epoch:05d}.safetensors"

    def snapshots(self) -> list[tuple[int, Path]]:
        """The epochs with a snapshot, and its file, in order."""
        found = sorted((self.folder / "snapshots").glob("epoch-*.safetensors"))
        return [(int(path.stem.removeprefix("epoch-")), path) for path in found]

    def fingerprint(self) -> Fingerprint | None:
        """What its data are known by; None for a run that an early vaelab wrote, which knows them by their path alone.

        Raises:
            VaelabError: where the file is damaged.
        """
        if not self.data_file.is_file():
            return None
        try:
            values = json.loads(self.data_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = None
        return Fingerprint.from_json(values, source=str(self.data_file))

    # --- metrics --------------------------------------------------------------------------------------------------------------------

    def metrics(self) -> list[dict[str, Any]]:
        """One record an epoch. A torn last line, left by a kill, is dropped."""
        if not self.metrics_file.is_file():
            return []
        records = []
        for line in self.metrics_file.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return records

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        try:
            with self.metrics_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise VaelabError(
                translated(
                    "{metrics_file}: could not be written ({strerror}); free some space, then: vaelab train --resume "
                    "{folder}",
                    metrics_file=self.metrics_file,
                    strerror=error.strerror,
                    folder=self.folder,
                )
            ) from error

    def keep_metrics(self, epochs: int) -> None:
        """Drop the records after so many epochs, and a torn line: what a resumed run will write again."""
        kept = [record for record in self.metrics() if record["epoch"] <= epochs]
        write_bytes_safely(self.metrics_file, "".join(json.dumps(record) + "\n" for record in kept).encode())

    # --- one writer at a time -------------------------------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing, by a lock of the operating system, which a killed process cannot leave behind.

        Raises:
            VaelabError: where another process holds it.
        """
        if self.is_packaged:
            raise VaelabError(
                translated(
                    "{called}: lies in the package, which is not written to; copy the run to a folder of yours",
                    called=self.called,
                )
            )
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise VaelabError(
                translated(
                    "{folder}: in use by another vaelab process; wait for it to end, or choose another --out",
                    folder=self.folder,
                )
            ) from None
        except OSError as error:
            raise VaelabError(
                translated(
                    "{folder}: cannot be written to ({strerror}); copy the run to a folder of yours",
                    folder=self.folder,
                    strerror=error.strerror,
                )
            ) from None
        try:
            yield
        finally:
            lock.release()


def free_folder(name: str, *, parent: Path = Path("runs")) -> Path:
    """`runs/name`, or the first of `runs/name-2`, `runs/name-3`, … that is not there."""
    folder, number = parent / name, 1
    while folder.exists():
        number += 1
        folder = parent / f"{name}-{number}"
    return folder


def _folder_of(name: str) -> Path:
    if not name.startswith("pretrained:"):
        return Path(name)
    known = sorted(path.name for path in PRETRAINED.glob("*/") if path.is_dir())
    chosen = name.removeprefix("pretrained:")
    if chosen not in known:
        raise VaelabError(
            translated(
                "{name}: no such model in the package; {nearest}", name=name, nearest=nearest_name(chosen, known)
            )
        )
    return PRETRAINED / chosen
