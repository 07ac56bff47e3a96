"""p(x|z) at many points of latent space, in the form that scores many images at once.

For Bernoulli, continuous Bernoulli, and Gaussian pixels of one scale, log p(x|z) = x . a(z) + b(z) + c(x): so one matrix product scores
all images at all points. Any other likelihood goes image by image.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities import LOG_TWO_PI, AbstractDensity, Bernoulli, ContinuousBernoulli, IsotropicNormal
from vaelab.evaluation.image_log_probs import sum_softplus
from vaelab.model import Model

ROUNDING = 6e-8
"""Of single precision, relative."""
MOST_LOST = 0.005
"""Nats of log p(x|z) that multiplying out may lose."""


class AbstractPixelForm(eqx.Module):
    """The likelihoods p(x|z_g) of some points z_g."""

    @abstractmethod
    def log_probs(self, images: Float[Array, "images ..."]) -> Float[Array, "images points"]:
        """log p(x_i|z_g) in nats."""


class LinearForm(AbstractPixelForm):
    """log p(x|z) = x . a + b."""

    coefficients: Float[Array, "points pixels"]
    offsets: Float[Array, " points"]

    def log_probs(self, images: Float[Array, "images ..."]) -> Float[Array, "images points"]:
        flat = images.reshape(images.shape[0], -1)
        return flat @ self.coefficients.T + self.offsets[None]


class SharedScaleForm(AbstractPixelForm):
    """Gaussian pixels of one scale: log p(x|z) = -(|x|^2 - 2 x . m + |m|^2) / (2 s^2) - P/2 log(2 pi s^2).

    Images and means are taken relative to the points' average mean, so that little is lost where the three terms cancel. Where the scale
    is so small that what is lost would still count, the squares of all differences are summed instead: as exact as it is slow.
    """

    centre: Float[Array, " pixels"]
    means: Float[Array, "points pixels"]  # less the centre
    log_variance: Float[Array, ""]

    def log_probs(self, images: Float[Array, "images ..."]) -> Float[Array, "images points"]:
        flat = images.reshape(images.shape[0], -1) - self.centre[None]
        sizes, own_sizes = jnp.sum(flat**2, axis=1), jnp.sum(self.means**2, axis=1)

        def multiplied_out(flat: Array) -> Array:
            return sizes[:, None] + own_sizes[None] - 2.0 * flat @ self.means.T

        def one_by_one(flat: Array) -> Array:
            return jax.lax.map(lambda image: jnp.sum((self.means - image[None]) ** 2, axis=1), flat)

        precision = jnp.exp(-self.log_variance)
        lost = ROUNDING * precision * (sizes.max() + own_sizes.max())
        squares = jax.lax.cond(lost > MOST_LOST, one_by_one, multiplied_out, flat)
        constant = flat.shape[1] * (LOG_TWO_PI + self.log_variance)
        return -0.5 * (squares * precision + constant)


class GeneralForm(AbstractPixelForm):
    """Any likelihood, by its own `log_prob`."""

    densities: AbstractDensity  # its arrays stacked over the points

    def log_probs(self, images: Float[Array, "images ..."]) -> Float[Array, "images points"]:
        return jax.lax.map(lambda image: jax.vmap(lambda density: density.log_prob(image))(self.densities), images)


def pixel_form(model: Model, z: Float[Array, "points latent"]) -> AbstractPixelForm:
    """Decode the points into the quickest form that their likelihood has."""
    densities = jax.vmap(model.likelihood)(z)
    points = z.shape[0]
    if isinstance(densities, Bernoulli):
        logits = densities.logits.reshape(points, -1)
        return LinearForm(logits, -sum_softplus(logits))
    if isinstance(densities, ContinuousBernoulli):
        offsets = jnp.sum(densities.log_normaliser.reshape(points, -1), axis=1)
        return LinearForm(densities.logits.reshape(points, -1), offsets)
    if isinstance(densities, IsotropicNormal):
        means = densities.mean.reshape(points, -1)
        centre = jnp.mean(means, axis=0)
        return SharedScaleForm(centre, means - centre[None], 2.0 * jnp.log(densities.scale[0]))
    return GeneralForm(densities)
