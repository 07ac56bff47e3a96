"""Numbers that all examples share and that find their own optimum: the scale of a likelihood.

An optimiser such as Adam moves a logarithm by its rate a step, whatever the data say: from 0.25 down to 0.05 at a rate of 0.001 in 1,600
steps. Such a number has a pace of its own: its gradient is divided by its Fisher information (for D entries of a scale family, a constant
times D), so that a plain step of size `PACE` goes that share of the way to the optimum, which for a Gaussian is the mean squared error: the
optimal variance of Rybkin, Daniilidis and Levine, "Simple and effective VAE training with calibrated decoders", ICML 2021, section 4.3,
followed over some ten batches in place of one.
"""

import jax
import optax
from jaxtyping import Array, Float

PACE = 0.1
"""The share of the way to its optimum that one step goes, near it."""

FARTHEST = 1.0
"""A natural gradient is cut to this, so that one step multiplies a scale by no more than exp(PACE)."""


@jax.custom_jvp
def at_own_pace(number: Float[Array, ""], information: Float[Array, ""]) -> Float[Array, ""]:
    """The number itself; its gradient is divided by `information`, which makes it the natural one."""
    del information
    return number


@at_own_pace.defjvp
def _at_own_pace_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (number, information), (tangent, _) = primals, tangents
    return number, tangent / information


def own_optimiser() -> optax.GradientTransformation:
    """What moves such numbers, whatever the run's optimiser and its rate: plain steps along the natural gradient."""
    return optax.chain(optax.clip(FARTHEST), optax.sgd(PACE))
