"""The commands of a model that sees labels: a seven that is asked for, the same z as another label, a way within one."""

from pathlib import Path

import numpy as np
import pytest

from cli.in_process import Command, arrays_of, command_on
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.generating import decode, encode, reconstruct
from vaelab.model_file import load_model
from vaelab.runs import Run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few_digits: Dataset) -> Command:
    return command_on(few_digits, monkeypatch, tmp_path)


def test_a_label_is_asked_for(command: Command, tiny_conditional_run: Run) -> None:
    printed = command("sample", tiny_conditional_run.folder, "--label", 7, "-n", 6, "--out", "s.npz")
    assert "6 samples of label 7 from prior trained" in printed
    arrays = arrays_of("s.npz")
    assert arrays["labels"].tolist() == [7] * 6
    np.testing.assert_allclose(decode(load_model(tiny_conditional_run), arrays["z"], 7), arrays["images"], atol=1e-6)


def test_each_label_has_a_row_down_which_the_draw_stays(command: Command, tiny_conditional_run: Run) -> None:
    printed = command("sample", tiny_conditional_run.folder, "--label", "each", "-n", 25, "--out", "s.npz")
    assert "30 samples, 3 a row for each of 10 labels" in printed
    arrays = arrays_of("s.npz")
    assert arrays["labels"].tolist() == np.repeat(np.arange(10), 3).tolist()
    rows = arrays["z"].reshape(10, 3, 2)  # of a prior that is the same for all labels
    np.testing.assert_array_equal(rows, np.broadcast_to(rows[:1], rows.shape))
    command("sample", tiny_conditional_run.folder, "--label", "each", "-n", 20)
    assert Path("samples.png").is_file()


def test_labels_are_drawn_as_frequent_as_in_training_or_balanced(command: Command, tiny_conditional_run: Run) -> None:
    assert "labels as frequent as in training" in command(
        "sample", tiny_conditional_run.folder, "-n", 3000, "--out", "s.npz"
    )
    drawn = arrays_of("s.npz")["labels"]
    frequencies = np.exp(np.asarray(load_model(tiny_conditional_run).log_frequencies, np.float64))
    counts = np.bincount(drawn, minlength=10)
    deviation = (counts - 3000 * frequencies) / np.sqrt(3000 * frequencies * (1 - frequencies))
    assert np.abs(deviation).max() < 4.0
    command("sample", tiny_conditional_run.folder, "-n", 40, "--out", "few.npz")
    np.testing.assert_array_equal(arrays_of("few.npz")["labels"], drawn[:40])  # draw i depends on i alone
    assert "each label equally often" in command(
        "sample", tiny_conditional_run.folder, "--balanced", "-n", 30, "--out", "b.npz", "--pixels"
    )
    np.testing.assert_array_equal(np.bincount(arrays_of("b.npz")["labels"]), np.full(10, 3))


def test_an_image_without_a_label_is_given_one(
    command: Command, tiny_conditional_run: Run, few_digits: Dataset, tmp_path: Path
) -> None:
    np.save(tmp_path / "unknown.npy", few_digits.test.images[:3], allow_pickle=False)
    images, model = few_digits.test.images[:3], load_model(tiny_conditional_run)
    printed = command("encode", tiny_conditional_run.folder, tmp_path / "unknown.npy", "--label", 7)
    assert "given the label 7" in printed
    arrays = arrays_of("z.npz")
    np.testing.assert_allclose(arrays["mean"], encode(model, images, np.full(3, 7)).mean, atol=1e-5)
    assert arrays["labels"].tolist() == [7, 7, 7]
    command("reconstruct", tiny_conditional_run.folder, tmp_path / "unknown.npy", "--label", 7, "--out", "r.npz")
    expected = reconstruct(model, images, np.full(3, 7))
    np.testing.assert_allclose(arrays_of("r.npz")["images"], expected, atol=1e-6)
    with pytest.raises(VaelabError, match="found no labels"):
        command("encode", tiny_conditional_run.folder, tmp_path / "unknown.npy", "--overwrite")


def test_the_same_codes_as_another_label(command: Command, tiny_conditional_run: Run, few_digits: Dataset) -> None:
    model, test = load_model(tiny_conditional_run), few_digits.test
    assert "encoded given their labels, decoded as 3" in command(
        "reconstruct", tiny_conditional_run.folder, "--label", 3, "-n", 8, "--out", "r.npz"
    )
    expected = reconstruct(model, test.images[:8], test.labels[:8], as_labels=3)
    np.testing.assert_allclose(arrays_of("r.npz")["images"], expected, atol=1e-5)
    assert "reconstructed given their labels" in command(
        "reconstruct", tiny_conditional_run.folder, "-n", 8, "--out", "own.npz"
    )
    own = decode(model, encode(model, test.images[:8], test.labels[:8]).mean, test.labels[:8])
    np.testing.assert_allclose(arrays_of("own.npz")["images"], own, atol=1e-5)


def test_a_way_within_a_label(command: Command, tiny_conditional_run: Run, few_digits: Dataset) -> None:
    labels = few_digits.test.labels
    first, second = np.flatnonzero(labels == 2)[:2]
    run = tiny_conditional_run.folder
    printed = command(
        "interpolate", run, "--between", f"test:{first}", f"test:{second}", "--steps", 4, "--out", "i.npz"
    )
    assert "straight, decoded as label 2" in printed
    arrays = arrays_of("i.npz")
    model = load_model(tiny_conditional_run)
    ends = encode(model, few_digits.test.images[[first, second]], np.array([2, 2])).mean
    np.testing.assert_allclose(arrays["z"][[0, -1]], ends, atol=1e-5)
    np.testing.assert_allclose(arrays["images"], decode(model, arrays["z"], 2), atol=1e-5)
    assert "decoded as label 5" in command("interpolate", run, "--between", "label:3", "label:8", "--label", 5)


def test_encoded_points_are_decoded_with_their_labels(command: Command, tiny_conditional_run: Run) -> None:
    assert "200 images of mnist, given their labels" in command("encode", tiny_conditional_run.folder)
    command("decode", tiny_conditional_run.folder, "z.npz")
    encoded, model = arrays_of("z.npz"), load_model(tiny_conditional_run)
    images = arrays_of("images.npz")["images"]
    np.testing.assert_allclose(images, decode(model, encoded["mean"], encoded["labels"]), atol=1e-5)
    command("decode", tiny_conditional_run.folder, "z.npz", "--label", 1, "--overwrite")
    np.testing.assert_allclose(arrays_of("images.npz")["images"], decode(model, encoded["mean"], 1), atol=1e-5)


BAD = {
    "a label out of range": (
        ["sample", "RUN", "--label", "11"],
        "label 11: the model was trained with none such; known: 0, 1,",
    ),
    "a label that is none": (["sample", "RUN", "--label", "seven"], "no such label"),
    "balanced and one label": (["sample", "RUN", "--label", "7", "--balanced"], "leave one of the two out"),
    "a label to reconstruct as": (
        ["reconstruct", "RUN", "--label", "12"],
        "label 12: the model was trained with none such",
    ),
    "ends of two labels": (
        ["interpolate", "RUN", "--between", "label:3", "label:8"],
        "label:3 and label:8 have not the same; choose one: --label",
    ),
    "points without labels": (["decode", "RUN", "z.npy"], "expected an array labels of 4 whole numbers"),
    "labels asked of a model without": (["sample", "PLAIN", "--label", "7"], "does not know of labels"),
    "each asked of a model without": (["sample", "PLAIN", "--label", "each"], "does not know of labels"),
    "balance asked of a model without": (["sample", "PLAIN", "--balanced"], "does not know of labels"),
    "another label of a model without": (
        ["reconstruct", "PLAIN", "--label", "7"],
        "this model sees no labels; train one",
    ),
    "a way of a model without": (
        ["interpolate", "PLAIN", "--between", "label:3", "label:3", "--label", "3"],
        "this model sees no labels",
    ),
    "decoded as a label by a model without": (
        ["decode", "PLAIN", "z.npy", "--label", "3"],
        "this model sees no labels",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_labels_are_one_clear_line(name: str, command: Command, tiny_conditional_run: Run, tiny_run: Run) -> None:
    words, expected = BAD[name]
    np.save("z.npy", np.zeros((4, 2), np.float32))
    runs = {"RUN": str(tiny_conditional_run.folder), "PLAIN": str(tiny_run.folder)}
    with pytest.raises(VaelabError, match=expected) as caught:
        command(*(runs.get(word, word) for word in words))
    assert "\n" not in str(caught.value)
