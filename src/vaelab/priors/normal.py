"""The standard normal prior."""

import equinox as eqx
from jaxtyping import PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.densities import DiagonalNormal, standard_normal
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import NormalPriorSettings


class NormalPrior(AbstractPrior):
    """p(z) = N(0, I): what every tutorial assumes."""

    latent_dim: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: NormalPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "NormalPrior":
        del settings, key
        return cls(shapes.latent_dim)

    def settings(self) -> NormalPriorSettings:
        return NormalPriorSettings()

    def density(self, encoder: AbstractConditional | None = None) -> DiagonalNormal:
        del encoder
        return standard_normal(self.latent_dim)
