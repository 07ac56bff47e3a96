"""The multilayer perceptron, plain or gated."""

from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.networks.base import AbstractNetwork
from vaelab.networks.linear import Linear
from vaelab.networks.settings import MlpSettings
from vaelab.space import Shape, Space

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


class Mlp(AbstractNetwork):
    """Dense layers of the widths `hidden`, each followed by the activation; with no widths, the identity.

    What is given, an image or a tree of arrays, is read as one vector.
    """

    layers: tuple[Linear | GatedLinear, ...]
    activation: Activation = eqx.field(static=True)
    given: Space = eqx.field(static=True)
    out_shape: Shape = eqx.field(static=True)

    def __init__(
        self, given: Space | Shape | int, hidden: tuple[int, ...], activation: Activation, *, key: PRNGKeyArray
    ):
        """`given` is what it reads: a space, the shape of an array, or the length of a vector."""
        if not isinstance(given, Space):
            given = Space.of_shape((given,) if isinstance(given, int) else given)
        widths = (given.size, *hidden)
        layer = GatedLinear if activation == "gated" else Linear
        keys = jr.split(key, max(len(hidden), 1))
        self.layers = tuple(layer(a, b, key=k) for a, b, k in zip(widths[:-1], widths[1:], keys, strict=False))
        self.activation = activation
        self.given = given
        self.out_shape = (widths[-1],)

    @classmethod
    def build(cls, settings: MlpSettings, given: Space, *, key: PRNGKeyArray) -> "Mlp":
        return cls(given, settings.hidden, settings.activation, key=key)

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " out"]:
        del condition, key
        x = self.given.flat(given)
        for layer in self.layers:
            x = layer(x)
            if self.activation != "gated":
                x = ACTIVATIONS[self.activation](x)
        return x

    def with_last_inputs(self, constant: Float[Array, " last"]) -> "Mlp | None":
        """The first layer with W [x; c] + b = W_x x + (W_c c + b)."""
        if not self.layers:
            return None
        kept = self.given.size - constant.shape[0]

        def fixed(linear: Linear) -> Linear:
            bias = linear.bias + constant @ linear.weight[kept:]
            return eqx.tree_at(lambda one: (one.weight, one.bias), linear, (linear.weight[:kept], bias))

        first = jax.tree.map(fixed, self.layers[0], is_leaf=lambda node: isinstance(node, Linear))
        widths = tuple(jax.tree.leaves(layer)[-1].shape[0] for layer in self.layers)
        shapes = eqx.filter_eval_shape(lambda key: Mlp(kept, widths, self.activation, key=key), jr.key(0))
        return eqx.tree_at(lambda mlp: mlp.layers, shapes, (first, *self.layers[1:]))

    def reads_input(self) -> PyTree[bool]:
        """The weights of the first layer, its gate's included."""
        first = {id(leaf) for leaf in jax.tree.leaves(self.layers[:1]) if leaf.ndim == 2}
        return jax.tree.map(lambda leaf: id(leaf) in first, self)
