"""The draws that a density is fitted to, and those that judge it: of other images."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.batching import in_batches
from vaelab.densities import AbstractDensity

MOST_FITTED = 20_000
MOST_HELD_OUT = 5_000
"""So many draws settle a mixture in any dimension and a network in two; more cost time alone."""
LEARNT_BY_HEART = 2
"""In more dimensions than these a network soon knows 20,000 draws by heart: it sees fresh ones of all images in every round."""


@dataclass(frozen=True)
class Draws:
    """Draws of q(z|x), of two disjoint sets of images; `fresh` draws those fitted anew, of more images, where that is called for."""

    fitted: Float[np.ndarray, "fitted latent"]
    held_out: Float[np.ndarray, "held_out latent"]
    fresh: Callable[[PRNGKeyArray], Float[np.ndarray, "fresh latent"]] | None = None

    @property
    def latent_dim(self) -> int:
        return self.fitted.shape[1]

    @property
    def centre(self) -> Float[np.ndarray, " latent"]:
        return self.fitted.mean(axis=0)

    @property
    def spread(self) -> Float[np.ndarray, " latent"]:
        """The standard deviation in each dimension; never zero."""
        return np.maximum(self.fitted.std(axis=0), 1e-6)


def chosen_images(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which images may be fitted to and which are held out (a fifth, within the limits): places in a set of `count`."""
    order = generator.permutation(count)
    held_out = min(MOST_HELD_OUT, max(count // 5, 1))
    return order[held_out:], order[:held_out]


CHUNK = 500


def log_probs(density: AbstractDensity, values: Float[np.ndarray, "values latent"]) -> Float[np.ndarray, " values"]:
    """log p of each value in nats, in chunks that fit in memory."""
    rows, groups = values.astype(np.float32), max(1, -(-len(values) // CHUNK))
    return in_batches(lambda chunks: _mapped(density, chunks), rows, rows=CHUNK, groups=groups).astype(np.float64)


@jax.jit
def _mapped(density: AbstractDensity, chunks: Float[Array, "chunks chunk latent"]) -> Float[Array, "chunks chunk"]:
    return jax.lax.map(jax.vmap(density.log_prob), chunks)
