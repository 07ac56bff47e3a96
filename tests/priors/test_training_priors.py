"""Priors that are trained with the model."""

import dataclasses

import jax
import numpy as np
import pytest

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.model import trainable_parts
from vaelab.naming import named_arrays
from vaelab.training import TrainingData, train
from vaelab.training.beginning import initial_model, resolve

KINDS = {
    "normal": {},
    "mixture": {"components": 3, "covariance": "full"},
    "vamp": {"components": 3},
    "flow": {"flow": "coupling", "layers": 2, "width": 4, "knots": 4},
    "flow, fixed": {"flow": "coupling", "layers": 2, "width": 4, "knots": 4, "affine": "fixed"},
    "class": {},
}


def small_data() -> TrainingData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (40, 4, 4), np.uint8)
    labels = generator.integers(0, 3, 40)
    return TrainingData(images, labels, images[:20], labels[:20])


def config_of(kind: str, **training: object) -> Config:
    network = {"hidden": [6]}
    values = {
        "data": {"name": "small"},
        "model": {"encoder": network, "decoder": network, "prior": {"kind": kind.split(",")[0], **KINDS[kind]}},
        "training": {"epochs": 1, "batch_size": 40, "optimiser": "adam", **training},
    }
    return resolve(Config.from_values(values, source="test"), small_data())


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_moves_what_trainable_says_and_nothing_else(kind: str) -> None:
    config, data = config_of(kind), small_data()
    before = initial_model(config, data)
    after = train(config, data).model
    mask = jax.tree.leaves(trainable_parts(before))
    leaves = list(named_arrays(before).items())
    assert len(mask) == len(leaves)
    arrived = named_arrays(after)
    for may_move, (name, array) in zip(mask, leaves, strict=True):
        assert (not np.array_equal(arrived[name], array)) == may_move, name
    if kind.startswith("flow"):
        moved = [name for may_move, (name, _) in zip(mask, leaves, strict=True) if may_move]
        assert {"prior.centre", "prior.log_spread"}.issubset(moved) == (kind == "flow")


def test_a_class_prior_is_scored_without_the_held_out_labels() -> None:
    config, data = config_of("class"), small_data()
    assert config.model.prior.classes == 3
    other = dataclasses.replace(data, validation_labels=(data.validation_labels + 1) % 3)
    scores = [train(config, some).history[0]["val_loss"] for some in (data, other)]
    assert scores[0] == scores[1]


def test_what_a_prior_needs_is_asked_for_in_one_line() -> None:
    unlabelled = dataclasses.replace(small_data(), labels=None)
    values = {"model": {"prior": {"kind": "class"}}, "training": {"batch_size": 10}}
    with pytest.raises(VaelabError, match="needs labels, and these data have none"):
        resolve(Config.from_values(values, source="test"), unlabelled)
    with pytest.raises(VaelabError, match="a deterministic posterior has no KL"):
        Config.from_values(
            {"model": {"posterior": {"kind": "deterministic"}, "prior": {"kind": "vamp"}}}, source="test"
        )
    with pytest.raises(VaelabError, match=r"model\.prior"):
        Config.from_values({"model": {"prior": {"kind": "vampire"}}}, source="test")
