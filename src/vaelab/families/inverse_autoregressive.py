"""The posterior of inverse autoregressive flows."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.densities.autoregressive_step import AutoregressiveStep
from vaelab.densities.made import Made
from vaelab.densities.transformed import Transformed
from vaelab.families.base import AbstractFamily
from vaelab.families.diagonal_gaussian import DiagonalGaussian
from vaelab.families.settings import InverseAutoregressiveSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class InverseAutoregressive(AbstractFamily):
    """A diagonal Gaussian through gated autoregressive steps, whose networks all images share and which see a context of the image.

    Kingma et al., "Improving variational inference with inverse autoregressive flow", NeurIPS 2016, algorithm 1.
    """

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    networks: tuple[Made, ...]
    space: Space = eqx.field(static=True)
    context: int = eqx.field(static=True)

    @classmethod
    def build(
        cls, settings: InverseAutoregressiveSettings, shape: Shape, *, key: PRNGKeyArray
    ) -> "InverseAutoregressive":
        space = Space.of_shape(shape)
        networks = tuple(
            Made(space.size, of_output=2, width=settings.width, context=settings.context, key=key)
            for key in jr.split(key, settings.steps)
        )
        return cls(networks=networks, space=space, context=settings.context)

    def parameters(self) -> dict[str, Shape]:
        size = self.space.size
        return {"mean": (size,), "log_variance": (size,), "context": (self.context,)}

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *, mean: Float[Array, " dim"], log_variance: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> Transformed:
        base = DiagonalNormal(mean, jnp.clip(log_variance, *DiagonalGaussian.BOUNDS))
        return Transformed(base, tuple(AutoregressiveStep(network, context) for network in self.networks))
