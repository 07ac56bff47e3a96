"""Training given labels: what is kept of them, what is refused, and epochs of equal classes."""

import dataclasses

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from conftest import small
from vaelab.codes import codes_of
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.generating import decode, encode, reconstruct
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run
from vaelab.training import TrainingData, train
from vaelab.training.beginning import begin, resolve
from vaelab.training.snapshots import read_snapshots
from vaelab.training.sources import WATCHED, balanced_order

CONDITIONAL = {"model.condition": "labels"}


def data_of(dataset: Dataset, **changes: object) -> TrainingData:
    return dataclasses.replace(TrainingData.from_dataset(dataset, small("tutorial").data), **changes)


def test_a_run_keeps_how_many_labels_and_how_frequent_each_is(tiny_conditional_run: Run, few_digits: Dataset) -> None:
    run, model = Run.open(tiny_conditional_run.folder), load_model(tiny_conditional_run)
    assert run.config.model.is_conditional
    assert run.config.model.classes == 10
    labels = few_digits.train_and_validation.labels
    np.testing.assert_allclose(np.exp(model.log_frequencies), np.bincount(labels) / len(labels), rtol=1e-6)
    assert model.labels == tuple(range(10))
    assert [report["epoch"] for report in run.metrics()] == [1, 2]


def test_a_model_without_labels_has_none_of_it(tiny_run: Run) -> None:
    model = load_model(tiny_run)
    assert not model.is_conditional
    assert not any("frequencies" in name or "scale" in name or "shift" in name for name in named_arrays(model))


def test_images_are_encoded_and_decoded_given_their_labels(tiny_conditional_run: Run, few_digits: Dataset) -> None:
    model = load_model(tiny_conditional_run)
    images, labels = few_digits.test.images[:20], few_digits.test.labels[:20]
    codes = codes_of(model, images, labels)
    z = encode(model, images, labels).mean
    np.testing.assert_array_equal(z, codes.centres)
    pictures = decode(model, z, labels)
    for label in np.unique(labels):
        own, alone = labels == label, model.given(int(label))
        np.testing.assert_allclose(encode(alone, images[own]).mean, z[own], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(decode(alone, z[own]), pictures[own], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reconstruct(model, images, labels), pictures, rtol=1e-5)
    np.testing.assert_allclose(reconstruct(model, images, labels, as_labels=3), decode(model, z, 3), rtol=1e-5)
    assert np.abs(decode(model, z, 3) - pictures)[labels != 3].max() > 0.05


def test_snapshots_are_of_images_given_their_labels(tiny_conditional_run: Run, few_digits: Dataset) -> None:
    last = read_snapshots(tiny_conditional_run, 2)[-1]
    codes = encode(load_model(tiny_conditional_run), few_digits.test.images[:WATCHED], few_digits.test.labels[:WATCHED])
    np.testing.assert_allclose(np.asarray(last.means, np.float32), codes.mean, atol=0.01)


def test_images_without_their_labels_are_refused_in_a_line(tiny_conditional_run: Run, few_digits: Dataset) -> None:
    model, images = load_model(tiny_conditional_run), few_digits.test.images[:4]
    for labels, words in (
        (None, "found no labels"),
        (np.array([1, 2]), "one label for each of 4 images; found 2"),
        (np.array([1, 2, 3, 11]), "label 11: the model was trained with none such; known: 0, 1, "),
        (-1, "label -1: the model was trained with none such"),
    ):
        with pytest.raises(VaelabError, match=words) as caught:
            encode(model, images, labels)
        assert "\n" not in str(caught.value)
        with pytest.raises(VaelabError, match=words):
            decode(model, np.zeros((4, 2), np.float32), labels)


REFUSED = {
    "no labels": ({"labels": None}, {}, "needs a label for each image, and these data have none"),
    "held-out images without": ({"validation_labels": None}, {}, "the validation images have no labels"),
    "test images without": ({"test_labels": None}, {}, "the test images have no labels"),
    "a held-out label that training never saw": (
        {"validation_labels": np.full(200, 12)},
        {},
        "the validation images have the label number 12, which no training image has",
    ),
    "fewer classes than labels": ({}, {"model.classes": 4}, "model.classes is 4; the data have the label number 9"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_do_not_fit_a_conditional_model_are_refused(name: str, few_digits: Dataset) -> None:
    changes, settings, words = REFUSED[name]
    config = small("tutorial", **CONDITIONAL, **settings)
    with pytest.raises(VaelabError, match=words) as caught:
        resolve(config, data_of(few_digits, **changes))
    assert "\n" not in str(caught.value)


def test_balance_without_labels_is_refused(few_digits: Dataset) -> None:
    with pytest.raises(VaelabError, match="takes each label equally often, and these data have none"):
        resolve(small("tutorial", **{"data.balance": True}), data_of(few_digits, labels=None))


def test_a_label_that_no_image_has_is_none_of_the_models(few_digits: Dataset) -> None:
    data = data_of(few_digits)
    kept = data.labels != 4
    few = TrainingData(data.images[kept], data.labels[kept])
    config = resolve(small("tutorial", **CONDITIONAL, **{"data.validation": "none"}), few)
    model = begin(config, few).model
    assert model.labels == (0, 1, 2, 3, 5, 6, 7, 8, 9)
    with pytest.raises(VaelabError, match="label 4: the model was trained with none such"):
        decode(model, np.zeros((1, 2), np.float32), 4)


@pytest.mark.parametrize("prior", ["class", "vamp"])
def test_other_priors_train_given_labels(prior: str, few_digits: Dataset) -> None:
    data = data_of(few_digits)
    changes = {"model.prior.kind": prior, "training.epochs": 1} | (
        {"model.prior.components": 5} if prior == "vamp" else {}
    )
    config = resolve(small("tutorial", **CONDITIONAL, **changes), data)
    result = train(config, data)
    assert np.isfinite(result.history[-1]["val_loss"])
    assert result.model.labels == tuple(range(10))


# --- epochs of equal classes ----------------------------------------------------------------------------------------------------------

UNEQUAL = np.repeat([0, 2, 5], [6, 30, 84])
COUNTS = np.array([6, 30, 84])


def epoch_of(key: int, batch_size: int = 10) -> np.ndarray:
    return np.asarray(balanced_order(jr.key(key), jnp.asarray(UNEQUAL), jnp.asarray(COUNTS), batch_size))


def test_a_balanced_epoch_has_each_label_equally_often() -> None:
    rows = epoch_of(0)
    assert rows.shape == (12, 10)
    counts = np.bincount(UNEQUAL[rows.ravel()], minlength=6)
    np.testing.assert_array_equal(counts[[0, 2, 5]], 40)
    times = np.bincount(rows.ravel(), minlength=len(UNEQUAL))
    # of a small class every image as often as any other, to one; of a large one none twice
    assert set(times[UNEQUAL == 0].tolist()) == {6, 7}
    assert set(times[UNEQUAL == 2].tolist()) == {1, 2}
    assert set(times[UNEQUAL == 5].tolist()) == {0, 1}


def test_a_balanced_epoch_is_a_function_of_its_key_and_each_is_another() -> None:
    np.testing.assert_array_equal(epoch_of(3), epoch_of(3))
    assert (epoch_of(3) != epoch_of(4)).mean() > 0.5
    seen = {row for key in range(12) for row in epoch_of(key).ravel()}
    assert len(seen) == len(UNEQUAL)  # each image of the large class has its turn


def test_training_takes_balanced_epochs(few_digits: Dataset) -> None:
    data = data_of(few_digits)
    weights = []
    for balance in (False, True):
        config = resolve(small("tutorial", **{"data.balance": balance, "training.epochs": 1}), data)
        weights.append(named_arrays(train(config, data).model)["decoder.heads.logits.weight"])
    assert np.abs(weights[0] - weights[1]).max() > 0.0
