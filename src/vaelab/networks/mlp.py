"""The multilayer perceptron, plain or gated."""

from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.networks.linear import Linear

Activation = Literal["relu", "tanh", "gated"]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"relu": jax.nn.relu, "tanh": jnp.tanh}


class GatedLinear(eqx.Module):
    """h = (x W + b) * sigmoid(x V + c): a dense layer that opens and closes itself.

    Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017, eq. 1; the layer of the VampPrior paper's
    networks (Tomczak and Welling, AISTATS 2018).
    """

    value: Linear
    gate: Linear

    def __init__(self, in_features: int, out_features: int, *, key: PRNGKeyArray):
        value_key, gate_key = jr.split(key)
        self.value = Linear(in_features, out_features, key=value_key)
        self.gate = Linear(in_features, out_features, key=gate_key)

    def __call__(self, x: Float[Array, " in"]) -> Float[Array, " out"]:
        return self.value(x) * jax.nn.sigmoid(self.gate(x))


class Mlp(eqx.Module):
    """Dense layers of the widths `hidden`, each followed by the activation; with no widths, the identity."""

    layers: tuple[Linear | GatedLinear, ...]
    activation: Activation = eqx.field(static=True)
    out_features: int = eqx.field(static=True)

    def __init__(self, in_features: int, hidden: tuple[int, ...], activation: Activation, *, key: PRNGKeyArray):
        widths = (in_features, *hidden)
        layer = GatedLinear if activation == "gated" else Linear
        keys = jr.split(key, max(len(hidden), 1))
        self.layers = tuple(layer(a, b, key=k) for a, b, k in zip(widths[:-1], widths[1:], keys, strict=False))
        self.activation = activation
        self.out_features = widths[-1]

    def __call__(self, x: Float[Array, " in"]) -> Float[Array, " out"]:
        for layer in self.layers:
            x = layer(x)
            if self.activation != "gated":
                x = ACTIVATIONS[self.activation](x)
        return x
