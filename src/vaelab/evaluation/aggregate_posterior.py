"""The aggregate posterior q(z) = 1/N sum_n q(z|x_n): where the codes of the training images really lie."""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, PRNGKeyArray

from vaelab.codes import Codes, codes_of
from vaelab.densities import DiagonalNormal, Mixture
from vaelab.errors import VaelabError
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.language import to_translate
from vaelab.model import Model

NO_DENSITY = to_translate(
    "an autoencoder's posterior is one point, so it has no density, no KL and no likelihood; "
    "train with a Gaussian posterior, or fit a prior to its codes (vaelab fit-prior RUN mixture)"
)


@dataclass(frozen=True)
class AggregatePosterior:
    """The mixture of the posteriors of some images, each with weight 1/N (Hoffman and Johnson, "ELBO surgery", 2016)."""

    codes: Codes

    @classmethod
    def of(cls, model: Model, images: Num[np.ndarray, "images ..."]) -> "AggregatePosterior":
        """q(z) of images as the model sees them (pixels in [0, 1]; uint8 is scaled).

        **Raises:** `VaelabError` for a deterministic posterior, whose aggregate has no density.
        """
        return cls.from_codes(codes_of(model, images))

    @classmethod
    def from_codes(cls, codes: Codes) -> "AggregatePosterior":
        """Of codes that are there already.

        **Raises:** as `of` does.
        """
        if not codes.has_density:
            raise VaelabError(NO_DENSITY)
        return cls(codes)

    @classmethod
    def of_gaussians(
        cls, mean: Float[np.ndarray | Array, "images latent"], log_variance: Float[np.ndarray | Array, "images latent"]
    ) -> "AggregatePosterior":
        """Of diagonal Gaussians."""
        return cls(Codes(DiagonalNormal(jnp.asarray(mean), jnp.asarray(log_variance))))

    @property
    def mean(self) -> Float[np.ndarray, "images latent"]:
        """The code of each image."""
        return self.codes.centres

    @property
    def log_variance(self) -> Float[np.ndarray, "images latent"]:
        """Of each entry of each image's posterior."""
        found = self.codes.log_variances
        assert found is not None
        return found

    def first(self, count: int) -> "AggregatePosterior":
        """That of the first images alone."""
        return AggregatePosterior(self.codes.first(count))

    @cached_property
    def mixture(self) -> Mixture:
        count = len(self.codes)
        return Mixture(jnp.full(count, -math.log(count)), jax.tree.map(jnp.asarray, self.codes.densities))

    def log_probs(self, points: Float[np.ndarray, "points latent"]) -> Float[np.ndarray, " points"]:
        """log q(z) (nats) at many points, chunked: 10,000 points under 60,000 components in some seconds and under 100 MB."""
        return log_probs(self.mixture, points)

    def draws(self, key: PRNGKeyArray) -> Float[np.ndarray, "images latent"]:
        """One draw from each image's posterior, in the order of the images."""
        if self.codes.is_diagonal:
            return np.asarray(_gaussian_draws(self.mean, self.log_variance, key))
        return self.codes.draws(key)


@jax.jit
def _gaussian_draws(mean: Array, log_variance: Array, key: PRNGKeyArray) -> Array:
    return mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape, mean.dtype)
