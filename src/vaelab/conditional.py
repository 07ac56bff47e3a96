"""q(z|x) and p(x|z): the same thing, a density whose numbers a network gives."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.densities import AbstractCentredDensity, AbstractDensity
from vaelab.densities.codebook import AbstractCodebook
from vaelab.families.base import AbstractFamily
from vaelab.networks.base import AbstractNetwork
from vaelab.networks.conditioned import AtLabel
from vaelab.networks.convolution import Upward, halved
from vaelab.networks.linear import Linear
from vaelab.space import Shape, Space
from vaelab.support import Support

Head = Linear | Upward


class AbstractConditional(eqx.Module):
    """What is given in, a density out: an image and q(z|x), or z and p(x|z)."""

    space: eqx.AbstractVar[Space]  # of the values that its densities are over
    support: eqx.AbstractVar[Support]

    @abstractmethod
    def __call__(
        self,
        given: Any,
        condition: Array | None = None,
        *,
        prior: AbstractDensity | None = None,
        key: PRNGKeyArray | None = None,
    ) -> AbstractCentredDensity:
        """The density for one example.

        - `condition`: its label, for networks that see one
        - `prior`: p(z), which a ladder's `q(z_l | x, z_>l)` needs for its top-down path; every other encoder looks away
        - `key`: for dropout
        """

    def at_label(self, label: Int[Array, ""]) -> "AbstractConditional":
        """The same told one label for good, so that it is called without any."""
        return ConditionalAtLabel(within=self, label=label)


class ConditionalDensity(AbstractConditional):
    """A network, a linear head for each of the numbers that the family's densities need, and the family."""

    network: AbstractNetwork
    heads: dict[str, Head]
    family: AbstractFamily

    def __init__(self, network: AbstractNetwork, family: AbstractFamily, *, key: PRNGKeyArray):
        shapes = family.parameters()
        keys = jr.split(key, len(shapes)) if len(shapes) > 1 else [key]
        self.network = network
        self.heads = {
            name: _head(network.out_shape, shape, key=key)
            for (name, shape), key in zip(shapes.items(), keys, strict=True)
        }
        self.family = family

    @property
    def space(self) -> Space:
        return self.family.space

    @property
    def support(self) -> Support:
        return self.family.support

    def __call__(
        self,
        given: Any,
        condition: Array | None = None,
        *,
        prior: AbstractDensity | None = None,
        key: PRNGKeyArray | None = None,
    ) -> AbstractCentredDensity:
        del prior
        features = self.network(given, condition, key=key)
        shapes = self.family.parameters()
        return self.family(
            **{name: jnp.reshape(_applied(self.heads[name], features), shape) for name, shape in shapes.items()}
        )

    def at_label(self, label: Int[Array, ""]) -> "ConditionalDensity":
        """Of a vector of features scale and shift go into the heads, W (h s + t) + b = (W s) h + (W t + b); so the model given a label is
        made of layers like any other's.
        """
        told = self.network.at_label(label)
        if told is None or len(self.network.out_shape) != 1:
            network = AtLabel(network=self.network, label=label, out_shape=self.network.out_shape)
            return eqx.tree_at(lambda part: part.network, self, network)

        def fixed(head: Head) -> Linear:
            assert isinstance(head, Linear)  # of a vector of features
            weight, bias = told.scale[:, None] * head.weight, head.bias + told.shift @ head.weight
            return eqx.tree_at(lambda one: (one.weight, one.bias), head, (weight, bias))

        heads = {name: fixed(head) for name, head in self.heads.items()}
        return eqx.tree_at(lambda part: (part.network, part.heads), self, (told.network, heads))

    # --- where training begins, and at what pace ------------------------------------------------------------------------------------

    def centred_at(self, mean: Float[Array, "..."]) -> "ConditionalDensity":
        """The same with the biases of its heads such that it begins with `mean` for its centre."""
        biases = self.family.starting_bias(mean)
        heads = {
            name: eqx.tree_at(lambda head: head.bias, head, _bias(head, biases[name])) if name in biases else head
            for name, head in self.heads.items()
        }
        return eqx.tree_at(lambda part: part.heads, self, heads)

    def blind(self) -> "ConditionalDensity":
        """The same with heads that look at nothing: one density, whatever is given."""
        heads = {
            name: eqx.tree_at(lambda head: head.weight, head, replace_fn=jnp.zeros_like)
            for name, head in self.heads.items()
        }
        return eqx.tree_at(lambda part: part.heads, self, heads)

    def reads_input(self) -> PyTree[bool]:
        """True for each weight that is multiplied with every value of the input: the network's, or those of the heads where it is the
        identity.
        """
        mask = jax.tree.map(lambda _: False, self)
        if jax.tree.leaves(self.network):
            return eqx.tree_at(lambda part: part.network, mask, self.network.reads_input())
        heads = jax.tree.map(lambda _: False, self.heads)
        heads = {name: eqx.tree_at(lambda head: head.weight, head, replace=True) for name, head in heads.items()}
        return eqx.tree_at(lambda part: part.heads, mask, heads)


def codebook_of(encoder: AbstractConditional | None) -> AbstractCodebook:
    """Of an encoder whose z is made of codes; what asks for it was held against the posterior when the configuration was read."""
    found = encoder.family.codebook() if isinstance(encoder, ConditionalDensity) else None
    if found is None:
        raise TypeError("a prior over codes needs the encoder whose codes they are")
    return found


class ConditionalAtLabel(AbstractConditional):
    """A whole conditional told one label for good."""

    within: AbstractConditional
    label: Int[Array, ""]

    def __init__(self, within: AbstractConditional, label: Int[Array, ""]):
        self.within, self.label = within, label

    @property
    def space(self) -> Space:
        return self.within.space

    @property
    def support(self) -> Support:
        return self.within.support

    def __call__(
        self,
        given: Any,
        condition: Array | None = None,
        *,
        prior: AbstractDensity | None = None,
        key: PRNGKeyArray | None = None,
    ) -> AbstractCentredDensity:
        del condition
        return self.within(given, self.label, prior=prior, key=key)


def _head(features: Shape, shape: Shape, *, key: PRNGKeyArray) -> Head:
    """A head from features to numbers of a shape.

    - Where features are a map of an image's height and width, with any channels, it is a 1 x 1 convolution.
    - Where they are a map of half of those, it is a 4 x 4 transposed convolution of stride 2, which doubles them.
    - Else every number sees all features.
    """
    if len(features) == 3 and len(shape) >= 2:
        size, numbers = shape[:2], Space.of_shape(shape[2:]).size
        if features[:2] == size:
            return Linear(features[2], numbers, key=key)
        if features[:2] == halved(size):
            return Upward(features[2], numbers, size, key=key)
    if len(features) > 1 and shape and features[:-1] == shape[:-1]:
        return Linear(features[-1], shape[-1], key=key)
    return Linear(Space.of_shape(features).size, Space.of_shape(shape).size, key=key)


def _applied(head: Head, features: Float[Array, "..."]) -> Float[Array, "..."]:
    if isinstance(head, Upward):
        return head(features)
    return head(features if features.shape[-1] == head.weight.shape[0] else jnp.ravel(features))


def _bias(head: Head, wanted: Float[Array, "..."]) -> Float[Array, " out"]:
    """A bias for each number; of a head along the channels, which has fewer, their mean over the map."""
    rows = jnp.reshape(wanted, (-1, head.bias.shape[0]))
    return rows[0] if rows.shape[0] == 1 else rows.mean(axis=0)
