"""The uniform prior over codes."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import PRNGKeyArray

from vaelab.conditional import AbstractConditional, codebook_of
from vaelab.densities.codebook import UniformCodes
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import UniformCodesPriorSettings


class UniformCodesPrior(AbstractPrior):
    """p(z) = 1 / number of codes: what a quantised autoencoder is trained under (van den Oord et al., NeurIPS 2017, section 3.1)."""

    reads_encoder: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleVariableOverride]
    latent_dim: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: UniformCodesPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "UniformCodesPrior":
        del settings, key
        return cls(shapes.latent_dim)

    def settings(self) -> UniformCodesPriorSettings:
        return UniformCodesPriorSettings()

    def density(self, encoder: AbstractConditional | None = None) -> UniformCodes:
        return UniformCodes(codebook_of(encoder))
