"""The uniform prior on a sphere."""

import equinox as eqx
from jaxtyping import PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.densities.sphere import UniformSphere
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import UniformSpherePriorSettings


class UniformSpherePrior(AbstractPrior):
    """p(z) = 1 / area, z of length 1: the prior of Davidson et al., "Hyperspherical variational auto-encoders", UAI 2018."""

    latent_dim: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: UniformSpherePriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "UniformSpherePrior":
        del settings, key
        return cls(shapes.latent_dim)

    def settings(self) -> UniformSpherePriorSettings:
        return UniformSpherePriorSettings()

    def density(self, encoder: AbstractConditional | None = None) -> UniformSphere:
        del encoder
        return UniformSphere(self.latent_dim)
