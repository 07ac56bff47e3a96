"""The VampPrior."""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional
from vaelab.densities import Flat, Mixture, stack_of
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.pixels import scaled
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import VampPriorSettings


class VampPrior(AbstractPrior):
    """p(z) = 1/K sum_k q(z | u_k): the mixture of the posteriors of K learned pseudo-inputs u_k.

    Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018, eq. 9. The pseudo-inputs go through the model's one encoder, so the
    gradient of the prior reaches it; the prior holds no encoder of its own. Sampling draws a component uniformly.

    As in the paper the pseudo-inputs are kept in [0, 1] by a hard tanh and begin as N(0.05, 0.01^2), or else as training images.
    Where floating-point images go beyond [0, 1] (under a Gaussian likelihood), `bounds` is their range.
    """

    reads_encoder: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleVariableOverride]
    pseudo_inputs: Float[Array, "components *image"]
    bounds: Float[Array, " 2"]
    latent_dim: int = eqx.field(static=True)
    start: Literal["random", "data"] = eqx.field(static=True)

    def __init__(
        self,
        latent_dim: int,
        components: int,
        image_shape: tuple[int, ...],
        start: Literal["random", "data"] = "random",
        *,
        key: PRNGKeyArray,
    ):
        self.pseudo_inputs = 0.05 + 0.01 * jr.normal(key, (components, *image_shape))
        self.bounds = jnp.array([0.0, 1.0])
        self.latent_dim = latent_dim
        self.start = start

    @classmethod
    def build(cls, settings: VampPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "VampPrior":
        return cls(shapes.latent_dim, settings.components, shapes.image_shape, settings.start, key=key)

    def settings(self) -> VampPriorSettings:
        return VampPriorSettings(components=self.components, start=self.start)

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.pseudo_inputs.shape[1:]

    @property
    def components(self) -> int:
        return self.pseudo_inputs.shape[0]

    @property
    def images(self) -> Float[Array, "components *image"]:
        """The pseudo-inputs as the encoder sees them."""
        low, high = self.bounds
        return jnp.clip(self.pseudo_inputs, low, high)

    def density(self, encoder: AbstractConditional | None = None) -> Mixture:
        if encoder is None:
            raise TypeError("a VampPrior's density needs the encoder that reads its pseudo-inputs")
        uniform = jnp.full(self.components, -float(np.log(self.components)))
        posteriors = stack_of(encoder, self.images)
        return Mixture(uniform, posteriors if encoder.space.is_array else Flat(posteriors, encoder.space))

    def trainable(self) -> PyTree[bool]:
        return eqx.tree_at(lambda mask: mask.bounds, jax.tree.map(eqx.is_inexact_array, self), replace=False)

    def started_from(self, images: np.ndarray, labels: np.ndarray | None, *, key: PRNGKeyArray) -> "VampPrior":
        del labels
        prior = self
        if images.dtype != np.uint8:
            bounds = jnp.array([min(0.0, float(images.min())), max(1.0, float(images.max()))], jnp.float32)
            prior = eqx.tree_at(lambda prior: prior.bounds, prior, bounds)
        if self.start == "random":
            return prior
        if self.components > len(images):
            raise VaelabError(
                translated(
                    "model.prior.components is {components}, more than the {count} training images that the pseudo-inputs are to "
                    "begin as; choose fewer, or model.prior.start = 'random'",
                    components=self.components,
                    count=len(images),
                )
            )
        chosen = np.asarray(jr.choice(key, len(images), (self.components,), replace=False))
        low, high = prior.bounds
        # a hundredth inside the bounds: at a bound the hard tanh has no gradient, and most pixels are black
        inside = low + (high - low) * 0.01 + 0.98 * (scaled(jnp.asarray(images[chosen])) - low)
        return eqx.tree_at(lambda prior: prior.pseudo_inputs, prior, inside)
