"""All mass at one point."""

from typing import ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity


class Delta(AbstractCentredDensity):
    """All mass at one point: the posterior of a plain autoencoder. It has no density, so `log_prob` is refused."""

    has_density: ClassVar[bool] = False
    mean: Float[Array, " latent"]

    @property
    def centre(self) -> Float[Array, " latent"]:
        return self.mean

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        del value
        raise TypeError("a deterministic posterior has no density, so no log-likelihood follows from it")

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        del key
        return self.mean
