"""Every pair of parts, traced through a step with its gradients; and the page that says which are refused."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scripts.write_combinations_page import PAGE, PARTS, config_of, own_kinds, page, pairs, refusal

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.base import MODEL, Batch

SHAPE, BATCH = (8, 8), 4


def small(config: Config) -> Config:
    """The same for images of 8 x 8, with few units where a part has so many."""
    values = config.model_dump(mode="json")
    model: dict[str, Any] = values["model"]
    model["image_shape"] = SHAPE
    for name in ("encoder", "decoder"):
        model[name] |= {"hidden": [6]} if "hidden" in model[name] else {"channels": [4]}
    model["prior"] |= {key: value for key, value in {"components": 3, "classes": 3}.items() if key in model["prior"]}
    objective = values["objective"]
    objective |= {key: value for key, value in {"images": 40, "window": 5}.items() if key in objective}
    return Config.from_values(values, source="test")


def step_of(config: Config) -> Callable[[Any, Any, Any], Any]:
    """A step's losses, and the gradient that each player takes of its own."""

    def step(images: Any, labels: Any, keys: Any) -> Any:
        model = build_model(config.model, jr.key(0))
        objective = OBJECTIVES.build(config.objective)
        players = {MODEL: model, **objective.players(model, key=jr.key(1))}
        state = objective.start(model, key=jr.key(2))

        def losses(arrays: Any) -> Any:
            found = objective(eqx.combine(arrays, static), state, Batch(images, labels), jnp.float32(1.0), keys)
            return found.losses, (found.shown, found.state)

        arrays, static = eqx.partition(players, eqx.is_inexact_array)
        found, pull_back, rest = jax.vjp(losses, arrays, has_aux=True)
        gradients = {name: pull_back({other: jnp.float32(other == name) for other in found})[0][name] for name in found}
        return found, rest, gradients

    return step


def some_batch() -> tuple[Any, Any, Any]:
    images = (jr.uniform(jr.key(0), (BATCH, *SHAPE)) > 0.5).astype(jnp.float32)
    return images, jnp.arange(BATCH) % 3, jr.split(jr.key(1), BATCH)


ALLOWED = [kinds for kinds in pairs() if refusal(kinds) is None]


@pytest.mark.parametrize("kinds", ALLOWED, ids=lambda kinds: ", ".join(kinds.values()))
def test_a_pair_that_is_not_refused_can_be_trained(kinds: dict[str, str]):
    losses, (shown, _), gradients = jax.eval_shape(step_of(small(config_of(kinds))), *some_batch())
    assert {"loss", "reconstruction", "kl"} <= set(shown)
    assert set(losses) == set(gradients)
    assert all(value.shape == () for value in (*losses.values(), *shown.values()))


@pytest.mark.parametrize("kinds", [{part: kind} for part in PARTS for kind in own_kinds(part)], ids=str)
def test_each_part_takes_a_compiled_step(kinds: dict[str, str]):
    found = jax.jit(step_of(small(config_of(kinds))))(*some_batch())
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_refusals_are_one_line_that_names_what_works():
    refused = [kinds for kinds in pairs() if kinds not in ALLOWED]
    assert refused
    for kinds in refused:
        words = refusal(kinds)
        assert words is not None
        assert "\n" not in words
        assert "; use " in words or "; leave " in words


def test_every_part_has_two_kinds_and_the_page_is_what_the_configuration_says():
    assert all(len(own_kinds(part)) >= 2 for part in PARTS)
    assert PAGE.read_text(encoding="utf-8") == page(), "make it again: python -m scripts.write_combinations_page"
