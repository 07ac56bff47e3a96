"""A density over trees of arrays seen as one over vectors, and the other way round.

Whoever looks at a trained model (figures, scores, the explorer) sees its latents as vectors; a model whose z is a tree has its own
shape inside.
"""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities.base import AbstractCentredDensity, AbstractDensity
from vaelab.space import Space


class Flat(AbstractCentredDensity):
    """A density over the values of a space, over their flat vectors. The map only reorders numbers: densities are equal."""

    density: AbstractDensity
    space: Space = eqx.field(static=True)

    @property
    def has_density(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.density.has_density

    @property
    def quick_elsewhere(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.density.quick_elsewhere

    def shared(self) -> PyTree[bool]:
        return Flat(self.density.shared(), self.space)

    @property
    def centre(self) -> Float[Array, " size"]:
        assert isinstance(self.density, AbstractCentredDensity)
        return self.space.flat(self.density.centre)

    @property
    def lesson(self) -> Float[Array, ""] | None:
        return self.density.lesson if isinstance(self.density, AbstractCentredDensity) else None

    @property
    def marginal_log_variance(self) -> Float[Array, " size"] | None:
        found = self.density.marginal_log_variance if isinstance(self.density, AbstractCentredDensity) else None
        return None if found is None else self.space.flat(found)

    def log_prob(self, value: Float[Array, " size"]) -> Float[Array, ""]:
        return self.density.log_prob(self.space.back(value))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " size"]:
        return self.space.flat(self.density.sample(key))

    def sample_and_log_prob(self, key: PRNGKeyArray) -> tuple[Float[Array, " size"], Float[Array, ""]]:
        value, log_prob = self.density.sample_and_log_prob(key)
        return self.space.flat(value), log_prob

    def given(self, condition: Array | None) -> "Flat":
        return Flat(self.density.given(condition), self.space)


class Unflat(AbstractDensity):
    """A density over vectors, over the values of a space: what lets every prior stand before a model whose z is a tree."""

    density: AbstractDensity
    space: Space = eqx.field(static=True)

    def log_prob(self, value: Any) -> Float[Array, ""]:
        return self.density.log_prob(self.space.flat(value))

    def sample(self, key: PRNGKeyArray) -> Any:
        return self.space.back(self.density.sample(key))

    def given(self, condition: Array | None) -> "Unflat":
        return Unflat(self.density.given(condition), self.space)
