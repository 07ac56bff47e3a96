"""Where the server's bundle comes from: made once, and anew when what it was made of has changed."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from vaelab.errors import VaelabError
from vaelab.explorer.bundle import Bundle
from vaelab.runs import Run


class Source:
    """A bundle by the version of what it is made of.

    `stamp` says the version, quickly; `make` gives the bundle, and is called where the version is another than that of the bundle at
    hand. What cannot be made (a run that is written just now) leaves the one at hand.
    """

    def __init__(self, make: Callable[[], Bundle], stamp: Callable[[], str], bundle: Bundle | None = None):
        self._make = make
        self._stamp = stamp
        self._lock = threading.Lock()
        self._labelled: dict[tuple[str, int], Bundle] = {}
        self._version = stamp()
        self._bundle = make() if bundle is None else bundle

    @classmethod
    def of(cls, bundle: Bundle) -> "Source":
        """A bundle that never changes."""
        return cls(lambda: bundle, lambda: "1", bundle)

    @property
    def version(self) -> str:
        """Of what is there now, which may be newer than the bundle at hand."""
        return self._stamp()

    @property
    def at_hand(self) -> tuple[str, Bundle]:
        """The version and the bundle that pages were last given."""
        return self._version, self._bundle

    def as_label(self, label: int | None) -> tuple[str, Bundle]:
        """The bundle at hand, its models that see labels decoded as one of them (None: as it was made); each made once.

        Raises:
            VaelabError: for a label that they do not know.
        """
        version, bundle = self.at_hand
        if label is None:
            return version, bundle
        with self._lock:
            if (version, label) not in self._labelled:
                self._labelled = {key: one for key, one in self._labelled.items() if key[0] == version}
                self._labelled[version, label] = bundle.as_label(label)
            return version, self._labelled[version, label]

    def newest(self) -> tuple[str, Bundle]:
        """The bundle of what is there now."""
        with self._lock:
            version = self._stamp()
            if version != self._version:
                with contextlib.suppress(VaelabError):
                    self._bundle, self._version = self._make(), version
            return self.at_hand


def stamp_of(names: Sequence[str]) -> Callable[[], str]:
    """The version of some runs: when their models and priors were written."""
    folders = [Run.open(name).folder for name in names]

    def stamp() -> str:
        files = sorted(path for folder in folders for path in Path(folder).rglob("*.safetensors"))
        seen = []
        for path in files:
            try:
                known = path.stat()
            except OSError:  # removed meanwhile
                continue
            if path.parent.name not in PASSING:
                seen.append(f"{path}:{known.st_mtime_ns}:{known.st_size}")
        return sha256("\n".join(seen).encode()).hexdigest()[:12]

    return stamp


PASSING = ("snapshots", "checkpoints")
"""Folders that a training writes to all the time, before its model is there."""
