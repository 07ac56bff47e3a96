"""The prior of one label, in the place of a model's own."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Int, PyTree

from vaelab.conditional import AbstractConditional
from vaelab.densities import AbstractDensity
from vaelab.priors.base import AbstractPrior, Scoring


class AtLabel(AbstractPrior):
    """p(z|y) of a prior, for one label y; of a prior that knows of none, that prior as it is."""

    prior: AbstractPrior
    label: Int[Array, ""]
    latent_dim: int = eqx.field(static=True)

    def density(self, encoder: AbstractConditional | None = None) -> AbstractDensity:
        return self.prior.density(encoder).given(self.label)

    def settings(self) -> Any:
        return self.prior.settings()

    @property
    def name(self) -> str:
        """The kind of the prior itself."""
        return self.settings().kind

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.prior.image_shape

    @property
    def scoring(self) -> Scoring:
        return self.prior.scoring

    def trainable(self) -> PyTree[bool]:
        return jax.tree.map(lambda _: False, self)
