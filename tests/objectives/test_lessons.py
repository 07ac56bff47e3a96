"""What a codebook learns by comes with the reconstruction, and whatever weight an objective gives to that, the codebook learns the same."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from laws.table import IMAGE, KEY, model_of
from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.base import MODEL, Batch

IMAGES = jr.uniform(KEY, (6, *IMAGE))


def averages_gradient(settings: dict[str, Any]) -> list[np.ndarray]:
    """Of the two moving averages of VQ, by the loss of the model."""
    objective, model = OBJECTIVES.build(OBJECTIVES.settings(settings)), model_of("vq", prior="uniform-codes")

    def loss(arrays: Any, static: Any) -> Any:
        players = {MODEL: eqx.combine(arrays, static)}
        return objective(players, None, Batch(IMAGES, None), jnp.float32(1.0), jr.split(KEY, len(IMAGES))).losses[MODEL]

    gradient = jax.grad(loss)(*eqx.partition(model, eqx.is_inexact_array))
    return [np.asarray(gradient.encoder.family.shares), np.asarray(gradient.encoder.family.sums)]


WEIGHTED = {
    "no pixels": {"kind": "ms-ssim", "window": 3, "pixels": 0.0},
    "few": {"kind": "ms-ssim", "window": 3, "pixels": 0.1},
    "more": {"kind": "ms-ssim", "window": 3, "pixels": 2.0},
    "several draws": {"kind": "importance-weighted", "samples": 3},
    "several bounds": {"kind": "importance-weighted", "samples": 3, "bounds": 2},
    "a joint bound": {"kind": "importance-weighted", "samples": 3, "bounds": 2, "decoder": "joint"},
}


@pytest.mark.parametrize("name", WEIGHTED)
def test_codes_are_averaged_at_their_own_pace(name: str) -> None:
    plain, weighted = averages_gradient({"kind": "elbo"}), averages_gradient(WEIGHTED[name])
    assert np.abs(plain[0]).max() > 0.0
    for expected, found in zip(plain, weighted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_mass_has_no_gradient_for_the_doubly_reparameterised() -> None:
    with pytest.raises(VaelabError, match=r"does not offer; use objective\.gradient = 'standard'"):
        Config().with_values(
            {
                "model.posterior.kind": "vq",
                "model.prior.kind": "uniform-codes",
                "model.latent_dim": 64,
                "objective.kind": "importance-weighted",
                "objective.samples": 5,
                "objective.gradient": "doubly-reparameterised",
            },
            source="test",
        )
