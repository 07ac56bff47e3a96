"""The dense layer."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray


class Linear(eqx.Module):
    """y = x W + b, with Keras's initial values: Glorot-uniform weights and zero biases.

    W ~ U(-a, a), a = gain * sqrt(6 / (in + out)) (Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010, eq. 16).
    """

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, in_features: int, out_features: int, *, key: PRNGKeyArray, gain: float = 1.0):
        limit = gain * (6.0 / (in_features + out_features)) ** 0.5
        self.weight = jr.uniform(key, (in_features, out_features), minval=-limit, maxval=limit)
        self.bias = jnp.zeros(out_features)

    def __call__(self, x: Float[Array, "*map in"]) -> Float[Array, "*map out"]:
        """Along the last axis; over a map of features this is a 1 x 1 convolution."""
        return x @ self.weight + (
            self.bias if x.ndim == 1 else jnp.broadcast_to(self.bias, (*x.shape[:-1], self.bias.shape[0]))
        )
