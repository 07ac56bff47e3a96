"""What the commands take and refuse, in the command line's words: files, folders, sizes."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab import cli
from vaelab.model_file import label_names, load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run

LEVELS = np.random.default_rng(0).integers(0, 256, (60, 6, 5), dtype=np.uint8)
TRAIN = ["--hidden", "4", "--epochs", "1", "--set", "training.batch_size=10", "--no-figures", "-q"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def vaelab(*arguments: str) -> int:
    sys.argv = ["vaelab", *arguments]
    try:
        cli.main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def train(data: str, *options: str, out: str = "run") -> int:
    return vaelab("train", data, *TRAIN, "--out", out, *options)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of an input that cannot be used."""
    capsys.readouterr()
    assert vaelab(*arguments) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.count("\n") == 1
    return error


def pictures(folder: str, images: np.ndarray) -> None:
    Path(folder).mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(Path(folder) / f"{number:03d}.png")


def weights(run: str) -> dict[str, np.ndarray]:
    return named_arrays(load_model(Run.open(run)))


def test_integers_mean_the_same_as_to_the_estimator(capsys: pytest.CaptureFixture[str]):
    binary = (LEVELS > 100).astype(np.int64)
    for name, array in {"wide": binary, "bytes": binary.astype(np.uint8), "truth": LEVELS > 100}.items():
        np.save(f"{name}.npy", array)
        assert train(f"{name}.npy", out=name) == 0
        said = [line for line in capsys.readouterr().err.splitlines() if "black and white" in line]
        assert len(said) == (name != "truth")
    for name in ("wide", "bytes"):
        assert all((weights(name)[key] == array).all() for key, array in weights("truth").items())


@pytest.mark.parametrize("part", ["x_val", "x_test"])
def test_an_unscaled_part_is_refused_before_there_is_a_run(part: str, capsys: pytest.CaptureFixture[str]):
    parts = dict.fromkeys(("x_train", "x_val", "x_test"), LEVELS / 255) | {part: LEVELS.astype(np.float64)}
    np.savez("data.npz", **parts)
    for likelihood in ("bernoulli", "gaussian"):
        said = complaint(capsys, "train", "data.npz", "--likelihood", likelihood, *TRAIN)
        assert f"data.npz ({part}): found values from 0 to 255" in said
    assert not Path("runs").exists()


def test_a_part_that_the_likelihood_cannot_score_is_named(capsys: pytest.CaptureFixture[str]):
    np.savez("data.npz", x_train=LEVELS / 255, x_val=LEVELS / 255, x_test=LEVELS / 127)
    assert "test images must lie in [0, 1]" in complaint(capsys, "train", "data.npz", *TRAIN)
    np.save("data.npy", LEVELS.astype(np.float64))
    assert "or choose --likelihood gaussian" in complaint(capsys, "train", "data.npy", *TRAIN)


def test_another_file_is_held_against_what_was_fitted(capsys: pytest.CaptureFixture[str]):
    np.save("levels.npy", LEVELS)
    np.save("floats.npy", LEVELS.astype(np.float64))
    np.save("truth.npy", (LEVELS > 100).astype(np.uint8))
    assert train("levels.npy", "--likelihood", "gaussian") == 0
    for command in (
        ["encode", "run", "floats.npy"],
        ["reconstruct", "run", "floats.npy"],
        ["evaluate", "run", "floats.npy"],
    ):
        assert "found values from 0 to 255, where the training images are uint8" in complaint(capsys, *command)
    assert "they would all be black" in complaint(capsys, "encode", "run", "truth.npy")
    assert train("floats.npy", "--likelihood", "gaussian", out="numbers") == 0
    for name in ("levels", "floats"):  # levels are numbers to a model of numbers
        assert vaelab("encode", "numbers", f"{name}.npy", "--out", f"{name}.npz") == 0
    with np.load("levels.npz") as levels, np.load("floats.npz") as floats:
        np.testing.assert_array_equal(levels["mean"], floats["mean"])


def test_images_and_originals_are_of_one_kind():
    np.save("levels.npy", LEVELS)
    assert train("levels.npy") == 0
    assert vaelab("reconstruct", "run", "--out", "r.npz") == 0
    assert vaelab("interpolate", "run", "--between", "test:0", "test:1", "--out", "i.npz") == 0
    for name, kinds in {"r.npz": ("images", "originals"), "i.npz": ("images", "ends")}.items():
        with np.load(name) as arrays:
            assert [arrays[kind].dtype for kind in kinds] == [np.float32, np.float32]
            assert all(0 <= arrays[kind].min() <= arrays[kind].max() <= 1 for kind in kinds)
            assert arrays[kinds[1]].max() > 0.9


@pytest.mark.parametrize("size", ["3,4", "3x4"])
def test_a_height_and_a_width(size: str):
    pictures("photos", LEVELS)
    assert train("photos", "--size", size) == 0
    run = Run.open("run")
    assert run.config.model.image_shape == (3, 4)
    assert run.config.data.size == (3, 4)
    assert vaelab("encode", "run", "photos") == 0


@pytest.mark.parametrize("size", ["0", "3,4,5", "a", "3,", "", "-3", "2.5", "3,0"])
def test_a_size_that_is_none(size: str, capsys: pytest.CaptureFixture[str]):
    pictures("photos", LEVELS)
    assert "--size: expected a side in pixels" in complaint(capsys, "train", "photos", "--size", size, *TRAIN)


def test_a_size_in_a_setting(capsys: pytest.CaptureFixture[str]):
    pictures("photos", LEVELS)
    for size in ("[1, 2, 3]", "0", "big", "[]", "true"):
        said = complaint(capsys, "train", "photos", "--set", f"data.size={size}", *TRAIN)
        assert "data.size: expected a side in pixels, such as 32, or a height and a width" in said
    assert "--size is for folders of images" in complaint(capsys, "train", "digits", "--size", "9", *TRAIN)


def test_bad_files_are_left_out_by_a_flag_and_by_the_run_from_then_on(capsys: pytest.CaptureFixture[str]):
    pictures("photos/a/b", LEVELS[:30])
    pictures("photos/c", LEVELS[30:])
    for name in ("a/b/003.png", "c/001.png"):
        (Path("photos") / name).write_bytes(b"not an image")
    said = complaint(capsys, "train", "photos", *TRAIN)
    assert all(words in said for words in ("2 of the 60 files", "a/b/003.png", "c/001.png", "vaelab train --skip-bad"))
    assert train("photos", "--skip-bad") == 0
    assert "left out 2 of 60 image files, which cannot be read: a/b/003.png, c/001.png" in capsys.readouterr().err
    assert label_names(Run.open("run")) == ("a/b", "c")
    assert vaelab("encode", "run", "photos", "--out", "z.npz") == 0
    with np.load("z.npz") as arrays:
        assert len(arrays["mean"]) == 58


def test_labels_are_called_by_their_names(capsys: pytest.CaptureFixture[str]):
    pictures("photos/ant", LEVELS[:55])
    pictures("photos/bee", LEVELS[55:])
    assert train("photos") == 0
    assert "label bee has" in complaint(capsys, "fit-prior", "run", "mixture", "--by-class")
    assert "known: ant, bee" in complaint(capsys, "sample", "run", "--label", "wasp")
    assert "--label: this prior does not know of labels" in complaint(capsys, "sample", "run", "--label", "bee")
