"""The standard normal prior."""

from typing import TYPE_CHECKING

import equinox as eqx

from vaelab.densities import DiagonalNormal, standard_normal
from vaelab.priors.base import AbstractPrior

if TYPE_CHECKING:
    from vaelab.model import Model


class NormalPrior(AbstractPrior):
    """p(z) = N(0, I): what every tutorial assumes."""

    latent_dim: int = eqx.field(static=True)

    def density(self, model: "Model | None" = None) -> DiagonalNormal:
        del model
        return standard_normal(self.latent_dim)
