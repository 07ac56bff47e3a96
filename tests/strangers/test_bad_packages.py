"""Packages that break their promise, and runs whose packages are not there: one clear line, and everything else goes on."""

import shutil
import sys
from importlib import invalidate_caches
from pathlib import Path

import pytest

from installed_rows import forget_rows
from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.kinds import NETWORKS, PRIORS
from vaelab.runs import Run


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs a package of one module with some entry points, for one test."""

    def install(entry_points: str, module: str = "") -> None:
        (tmp_path / "rogue.py").write_text(module)
        folder = tmp_path / "rogue-0.3.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: rogue\nVersion: 0.3\n")
        (folder / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(str(tmp_path))
        invalidate_caches()
        forget_rows()

    yield install
    sys.modules.pop("rogue", None)
    monkeypatch.undo()
    forget_rows()


def test_one_that_cannot_be_imported_is_named_and_the_others_go_on(installed) -> None:
    installed("[vaelab.networks]\nbroken = rogue:Missing\n", "import a_module_that_is_not_there")
    with pytest.raises(VaelabError, match=r"network 'broken' of the package rogue: .*a_module_that_is_not_there"):
        Config().with_values({"model.encoder.kind": "broken"})
    assert Config().with_values({"model.encoder.kind": "mlp"}).model.encoder.kind == "mlp"
    assert "broken" not in NETWORKS.trained_names
    assert "mlp" in NETWORKS.trained_names


def test_settings_that_are_none_are_refused(installed) -> None:
    installed("[vaelab.networks]\nodd = rogue:Odd\n", "class Odd: ...")
    with pytest.raises(
        VaelabError,
        match=r"'odd' of the package rogue: rogue:Odd must be a subclass of vaelab.settings.NetworkSettings",
    ):
        NETWORKS.settings_of("odd")


def test_a_name_of_ours_is_passed_over_and_said(installed, caplog: pytest.LogCaptureFixture) -> None:
    installed("[vaelab.networks]\nmlp = rogue:Mlp\n\n[vaelab.priors]\nvamp = rogue:Vamp\n", "Mlp = Vamp = None")
    assert Config().model.encoder.kind == "mlp"
    assert PRIORS.settings_of("vamp").__module__ == "vaelab.priors.settings"
    assert NETWORKS.names.count("mlp") == 1
    assert any("rogue has the name of one of vaelab's own" in record.getMessage() for record in caplog.records)


def test_a_run_whose_package_is_not_here_says_which(tmp_path: Path) -> None:
    config = Config().with_values({"model.encoder.kind": "wave"}).with_packages()
    assert config.packages == ("outsiders 1.0",)
    run = Run.create(tmp_path / "run", config)
    assert Run.open(run.folder).config == config
    installed_at = str(Path(__file__).parent / "installed")
    sys.path.remove(installed_at)
    invalidate_caches()
    forget_rows()
    try:
        with pytest.raises(
            VaelabError, match=r"has parts of the package outsiders 1\.0, which is not installed here; install it: pip"
        ):
            Run.open(run.folder)
    finally:
        sys.path.append(installed_at)
        invalidate_caches()
        forget_rows()


def test_a_newer_configuration_says_so(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", Config())
    path = run.folder / "config.toml"
    path.write_text(path.read_text().replace("format = 1", "format = 99"))
    with pytest.raises(VaelabError, match=r"written by a newer vaelab \(format 99"):
        Run.open(run.folder)
    shutil.rmtree(run.folder)
