"""Which data a run means: known again wherever they lie, refused by name where they are others, not asked for where nothing needs them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vaelab
from vaelab import VAE, cli
from vaelab.data import Dataset, Fingerprint, Split, load_data
from vaelab.errors import VaelabError
from vaelab.run_data import TrainingDataError, run_data
from vaelab.runs import Run

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 6, 5), dtype=np.uint8)
LABELS = np.arange(90) % 3


def run_command(*words: object) -> int:
    """The command in this process; its exit code."""
    sys.argv = ["vaelab", *map(str, words)]
    try:
        cli.main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def complaint(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert run_command(*words) == 2
    line = capsys.readouterr().err
    assert line.startswith("vaelab: ")
    assert line.count("\n") == 1
    return line


TRAINED = ["--hidden", "4", "--epochs", "1", "--set", "training.batch_size=20", "--no-figures", "-q"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `mine.npz`, a run `r` trained on it, and two estimators saved: `kept` with a sample, `bare` without."""
    folder = tmp_path_factory.mktemp("made")
    np.savez(folder / "mine.npz", images=IMAGES, labels=LABELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["vaelab"])
        assert run_command("train", "mine.npz", *TRAINED, "--out", "r") == 0
    vae = VAE(hidden=(4,), epochs=1, batch_size=30, random_state=0).fit(IMAGES / 255, LABELS)
    vae.save(folder / "kept", images=40)
    vae.save(folder / "bare", images=0)
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder; where the original was, nothing is to be found."""
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    values = json.loads((folder / "r" / "data.json").read_text())
    assert values["place"] == str(made / "mine.npz")
    (folder / "r" / "data.json").write_text(json.dumps(values | {"place": str(folder / "mine.npz")}))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["vaelab"])
    return folder


# --- the fingerprint ----------------------------------------------------------------------------------------------------------------


def dataset_of(images: np.ndarray, labels: np.ndarray | None = LABELS, train: int = 70) -> Dataset:
    def part(begin: int, end: int) -> Split:
        return Split(images[begin:end], None if labels is None else labels[begin:end])

    return Dataset("mine", part(0, train), part(train, 80), part(80, 90))


def _one_changed(place: int) -> np.ndarray:
    changed = IMAGES.copy()
    changed[place, 0, 0] ^= 1
    return changed


DIFFERENCES: dict[str, tuple[Dataset, str]] = {
    "the same": (dataset_of(IMAGES.copy()), ""),
    "another shape": (
        dataset_of(IMAGES.reshape(90, 5, 6)),
        "images of shape (5, 6), where it had (6, 5)",
    ),
    "another type": (dataset_of(IMAGES.astype(np.float32)), "pixels of type float32, where it had uint8"),
    "counts": (
        dataset_of(IMAGES, train=60),
        "60 training images, where it had 70 and 20 validation images, where it had 10",
    ),
    "a training pixel": (
        dataset_of(_one_changed(3)),
        "as many images of that shape, but the training images are others",
    ),
    "a test pixel": (dataset_of(_one_changed(89)), "as many images of that shape, but the test images are others"),
    "a label": (
        dataset_of(IMAGES, (LABELS + (np.arange(90) == 75))),
        "the same images, but other labels of the validation images",
    ),
    "no labels": (
        dataset_of(IMAGES, None),
        "the same images, but other labels of the training, validation and test images",
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_fingerprint_says_in_what_data_differ(name: str):
    other, words = DIFFERENCES[name]
    assert Fingerprint.of(dataset_of(IMAGES)).difference(Fingerprint.of(other)) == words


def test_a_fingerprint_comes_back_from_its_file():
    found = Fingerprint.of(dataset_of(IMAGES), "mine.npz")
    assert Fingerprint.from_json(json.loads(json.dumps(found.to_json())), "data.json") == found
    for damaged in (None, {}, {"parts": {}}, found.to_json() | {"dtype": "nonsense"}):
        with pytest.raises(VaelabError, match=r"data\.json: damaged, or not written by vaelab"):
            Fingerprint.from_json(damaged, "data.json")
    with pytest.raises(VaelabError, match="Upgrade"):
        Fingerprint.from_json(found.to_json() | {"format": "vaelab-data-9"}, "data.json")


# --- a run of the command -----------------------------------------------------------------------------------------------------------


def test_a_run_knows_its_data_from_its_beginning(here: Path):
    found = Run.open("r").fingerprint()
    assert found is not None
    assert found.difference(Fingerprint.of(load_data("mine.npz"))) == ""
    assert run_data(Run.open("r")).dataset.train.images.shape == (72, 6, 5)


def _replaced(folder: Path) -> None:
    np.savez(folder / "mine.npz", images=255 - IMAGES, labels=LABELS)


def _cut(folder: Path) -> None:
    np.savez(folder / "mine.npz", images=IMAGES[:80], labels=LABELS[:80])


def _gone(folder: Path) -> None:
    (folder / "mine.npz").unlink()


ASKING = {
    "resume": ["train", "--resume", "r", "--no-figures"],
    "evaluate": ["evaluate", "r", "--no-figures", "--samples", "0"],
    "doctor": ["doctor", "r"],
    "compare": ["compare", "r", "again"],
    "fit-prior": ["fit-prior", "r", "mixture"],
    "plot": ["plot", "r", "latent"],
    "interpolate": ["interpolate", "r", "--between", "test:0", "test:1"],
    "explore": ["explore", "r", "--export", "x.html"],
    "encode": ["encode", "r"],
    "reconstruct": ["reconstruct", "r"],
}
MISUSED = {
    "replaced": (
        _replaced,
        r"mine.npz: not the data that r was trained on: as many images of that shape, but the training",
    ),
    "cut": (_cut, r"mine.npz: not the data that r was trained on: 64 training images, where it had 72"),
    "gone": (_gone, r"r: the data that it was trained on are not at .*mine.npz any more"),
}


@pytest.mark.parametrize("how", MISUSED)
@pytest.mark.parametrize("name", [name for name in ASKING if name not in ("evaluate", "compare", "doctor")])
def test_every_command_refuses_data_that_are_others(
    name: str, how: str, here: Path, capsys: pytest.CaptureFixture[str]
):
    change, words = MISUSED[how]
    change(here)
    line = complaint(capsys, *ASKING[name])
    assert "--training-data PATH says where they are now" in line
    import re

    assert re.search(words, line), line


@pytest.mark.parametrize("name", [name for name in ASKING if name not in ("evaluate", "compare", "doctor", "plot")])
def test_every_command_is_told_where_they_are_now(name: str, here: Path, capsys: pytest.CaptureFixture[str]):
    shutil.move(here / "mine.npz", here / "moved.npz")
    assert run_command(*ASKING[name], "--training-data", "moved.npz") == 0, capsys.readouterr().err
    np.savez(here / "other.npz", images=255 - IMAGES, labels=LABELS)
    line = complaint(
        capsys, *ASKING[name], "--training-data", "other.npz", *(["--overwrite"] if name != "resume" else [])
    )
    assert "--training-data other.npz: not the data that r was trained on" in line


def test_a_run_is_used_from_another_folder_than_it_was_trained_in(here: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_data(Run.open("here/r")).dataset.name == "mine"
    # and a project that was moved as a whole finds them at the same path from itself
    shutil.move(here, tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert run_data(Run.open("r")).dataset.name == "mine"


def test_a_folder_of_the_same_name_is_not_taken_for_them(here: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.savez("mine.npz", images=255 - IMAGES, labels=LABELS)
    assert run_data(Run.open(here / "r")).dataset.train.images.shape == (72, 6, 5)
    (here / "mine.npz").unlink()
    with pytest.raises(TrainingDataError, match=r"not the data that .* was trained on"):
        run_data(Run.open(here / "r"))


def test_a_run_of_an_early_vaelab_takes_its_data_as_they_are(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "r" / "data.json").unlink()
    _replaced(here)
    assert run_data(Run.open("r")).dataset.name == "mine"
    assert run_command(*ASKING["resume"]) == 0
    assert "whether its data are still the same is not checked" in capsys.readouterr().err


def test_training_data_belong_to_a_run(here: Path, capsys: pytest.CaptureFixture[str]):
    assert "goes with --resume" in complaint(capsys, "train", "mine.npz", "--training-data", "mine.npz")
    words = ["interpolate", "r", "--between", "test:0", "test:1", "--data", "mine.npz", "--training-data", "mine.npz"]
    assert "leave one out" in complaint(capsys, *words)


def test_what_needs_no_training_data_runs_without(here: Path, capsys: pytest.CaptureFixture[str]):
    shutil.move(here / "mine.npz", here / "new.npz")
    for words in (
        ["sample", "r", "-n", "4"],
        ["encode", "r", "new.npz"],
        ["decode", "r", "z.npz"],
        ["reconstruct", "r", "new.npz"],
        ["explore", "r", "--data", "new.npz", "--export", "x.html"],
        ["interpolate", "r", "--between", "test:0", "test:1", "--data", "new.npz"],
        ["summary", "r"],
    ):
        assert run_command(*words) == 0, capsys.readouterr().err


# --- a saved estimator --------------------------------------------------------------------------------------------------------------


def test_a_saved_estimator_keeps_a_stated_sample(here: Path):
    found = run_data(Run.open("kept"))
    assert len(found.dataset.train) == 40
    assert found.dataset.train.labels is not None
    assert found.split == "training"
    assert "keeps 40 of its 90 training images" in found.note
    assert "its training images stand in for test images" in found.note
    assert not (here / "bare" / "sample.safetensors").exists()


def test_held_out_images_of_fit_stand_for_test_images(tmp_path: Path):
    vae = VAE(hidden=(4,), epochs=1, batch_size=30, random_state=0).fit(IMAGES[:60], X_val=IMAGES[60:])
    found = run_data(Run.open(vae.save(tmp_path / "all")))
    assert (found.split, found.note, len(found.dataset.test)) == ("validation", "", 30)
    np.testing.assert_array_equal(found.dataset.train.images, IMAGES[:60])
    part = run_data(Run.open(vae.save(tmp_path / "part", images=20)))
    assert "keeps 20 of its 60 training images and 20 of 30 validation images" in part.note


@pytest.mark.parametrize(
    "name", [name for name in ASKING if name not in ("evaluate", "compare", "doctor", "plot", "resume")]
)
def test_every_command_takes_a_saved_estimator(name: str, here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "arrays").mkdir()  # a folder of that name has nothing to do with it
    kept = ["kept" if word == "r" else word for word in ASKING[name]]
    assert run_command(*kept) == 0, capsys.readouterr().err
    assert "keeps 40 of its 90 training images" in capsys.readouterr().err
    bare = ["bare" if word == "r" else word for word in ASKING[name]]
    line = complaint(capsys, *bare, "--overwrite")
    assert "bare: was fitted on arrays and keeps none of them; --training-data FILE" in line
    np.save(here / "fitted.npy", IMAGES / 255)
    assert run_command(*bare, "--training-data", "fitted.npy", "--overwrite") == 0, capsys.readouterr().err
    assert "not the arrays that bare was fitted on: pixels of type uint8, where it had float32" in complaint(
        capsys, *bare, "--training-data", "mine.npz", "--overwrite"
    )


def test_a_saved_estimator_is_not_resumed(here: Path, capsys: pytest.CaptureFixture[str]):
    before = (here / "kept" / "model.safetensors").read_bytes()
    assert "an estimator was saved there" in complaint(capsys, "train", "--resume", "kept")
    assert (here / "kept" / "model.safetensors").read_bytes() == before


FOUND: dict[str, Callable[[Path], Any]] = {
    "a training part that load_data makes": lambda path: load_data(path).train.images,
    "training and validation": lambda path: load_data(path).train_and_validation.images,
    "all of it": lambda path: IMAGES,
}


@pytest.mark.parametrize("name", FOUND)
def test_arrays_are_found_again_in_the_file_they_are_of(name: str, here: Path):
    images = FOUND[name](here / "mine.npz")
    VAE(hidden=(4,), epochs=1, batch_size=30, random_state=0).fit(images).save("v", images=0)
    found = run_data(Run.open("v"), "mine.npz")
    np.testing.assert_array_equal(found.dataset.train.images, images)
    assert found.split == ("training" if name == "all of it" else "test")
    loaded = vaelab.load("v", training_data="mine.npz")
    np.testing.assert_array_equal(loaded._training_data()[0], images)


# --- the package --------------------------------------------------------------------------------------------------------------------


def test_nothing_writes_into_the_package(here: Path, capsys: pytest.CaptureFixture[str]):
    folder = Run.open("pretrained:tutorial").folder
    before = sorted(path.name for path in folder.rglob("*"))
    for run in ("pretrained:tutorial", folder):
        for words in (["train", "--resume", run], ["fit-prior", run, "mixture"]):
            assert "lies in the package, which is not written to" in complaint(capsys, *words)
    assert sorted(path.name for path in folder.rglob("*")) == before
    advice = Run.open(folder).fit_prior_command
    assert advice == "vaelab fit-prior pretrained:tutorial mixture --out mixture.safetensors"


# --- what is left out where there are no training data --------------------------------------------------------------------------------

QUICK = ["--samples", "0", "--no-figures", "--json", "--importance-samples", "3"]


def evaluated(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    capsys.readouterr()
    assert run_command("evaluate", *words, *QUICK) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_evaluate_leaves_out_what_rests_on_training_data(here: Path, capsys: pytest.CaptureFixture[str]):
    np.save("new.npy", np.concatenate([IMAGES, 255 - IMAGES]))  # a hundred at least, for the quantiles
    whole = evaluated(capsys, "r", "new.npy")
    assert whole["hole_fraction"] is not None
    shutil.move("mine.npz", "moved.npz")
    part = evaluated(capsys, "r", "new.npy")
    assert "are not at" in part["reasons"]["training images"]
    for name in ("elbo", "kl", "nll_importance", "nll_quadrature", "marginal_kl", "uncovered_fraction"):
        assert part[name] == whole[name] != None  # noqa: E711 - a figure, and the same
    assert part["hole_fraction"] is part["achievable_gain"] is part["baselines"] is None
    assert evaluated(capsys, "r", "new.npy", "--training-data", "moved.npz") == whole
    # others lie there now: they are not taken for what it was trained on
    np.savez("mine.npz", images=255 - IMAGES, labels=LABELS)
    other = evaluated(capsys, "r", "new.npy")
    assert "not the data that r was trained on" in other["reasons"]["training images"]
    assert "not the data" in complaint(capsys, "evaluate", "r", *QUICK)
    assert "not the data" in complaint(capsys, "evaluate", "r", "new.npy", "--training-data", "mine.npz", *QUICK)


def test_evaluate_says_that_it_rests_on_a_sample(here: Path, capsys: pytest.CaptureFixture[str]):
    found = evaluated(capsys, "kept")
    assert found["setting"]["split"] == "training"
    assert found["setting"]["images"] == 40
    assert "keeps 40 of its 90 training images" in found["reasons"]["images"]
    assert found["elbo"]["over"] == "40 training images"
    assert "keeps none of them" in complaint(capsys, "evaluate", "bare", *QUICK)
    np.save("new.npy", IMAGES[:12] / 255)
    assert evaluated(capsys, "bare", "new.npy")["elbo"]["n"] == 12


def test_doctor_looks_at_the_log_where_there_are_no_data(here: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command("doctor", "r") == 0
    captured = capsys.readouterr()
    assert "too few epochs" in captured.out
    # on a slow machine a step names itself
    assert [line for line in captured.err.splitlines() if not line.startswith("looking the run over")] == []
    _gone(here)
    for name, words in (("r", "are not at"), ("bare", "keeps none of them"), ("kept", "keeps 40 of its 90")):
        assert run_command("doctor", name) == 0
        captured = capsys.readouterr()
        assert "too few epochs" in captured.out
        assert words in captured.err
        assert captured.err.count("\n") == 1


def test_figures_say_whose_images_they_show(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    from matplotlib.figure import Figure

    said: list[str] = []
    drawn = Figure.text
    monkeypatch.setattr(Figure, "text", lambda self, x, y, s, *a, **k: said.append(s) or drawn(self, x, y, s, *a, **k))
    assert run_command("plot", "kept", "latent", "--format", "svg") == 0
    assert "keeps 40 of its 90 training images" in capsys.readouterr().err
    assert any("40 training images" in words for words in said), said
    assert any("a sample of arrays" in words for words in said), said
    line = complaint(capsys, "plot", "bare")
    assert "keeps none of them" in line
    assert not (here / "bare" / "figures").exists()
    assert run_command("plot", "bare", "loss") == 0


def test_runs_on_different_images_are_not_compared(here: Path, capsys: pytest.CaptureFixture[str]):
    """Of one name and as many: their digests tell them apart."""
    (here / "b").mkdir()
    np.savez("b/mine.npz", images=255 - IMAGES, labels=LABELS)
    assert run_command("train", "b/mine.npz", *TRAINED, "--out", "other") == 0
    words = ["--importance-samples", "3", "--out", "c.png"]
    assert "images differ" in complaint(capsys, "compare", "r", "other", *words)
    np.save("new.npy", IMAGES[:12])
    assert run_command("compare", "r", "other", "--data", "new.npy", *words) == 0
