"""A network that is told the label: around any other network, ours or another library's."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.networks.base import AbstractNetwork
from vaelab.networks.building import build_network
from vaelab.networks.settings import ConditionedSettings
from vaelab.space import Shape, Space


class Conditioned(AbstractNetwork):
    """h = f(x with y) * (1 + s_y) + t_y: the label y as more of what the network f reads, and as scale and shift of what it gives.

    y stands beside a vector as its one-hot code, and beside a map (height, width, channels) as that many further channels, of which
    the label's is 1 everywhere; a network that reads anything as one vector (`NetworkSettings.is_flat`) is given the vector. s_y and
    t_y are one number a feature, or a channel of a map, and begin at 0, so that training begins with f itself: Perez et al.,
    "FiLM: visual reasoning with a general conditioning layer", AAAI 2018, eq. 2. The label among the inputs is Sohn, Lee and Yan,
    "Learning structured output representation using deep conditional generative models", NeurIPS 2015.
    """

    network: AbstractNetwork
    scale: Float[Array, "classes channels"]
    shift: Float[Array, "classes channels"]
    given: Space = eqx.field(static=True)  # of the input without its label
    is_flat: bool = eqx.field(static=True)
    out_shape: Shape = eqx.field(static=True)

    @classmethod
    def build(
        cls, settings: ConditionedSettings, given: Space, *, key: PRNGKeyArray, wanted: Space | None = None
    ) -> Any:
        """The network over the larger space, and around it this one; one that is built as a whole conditional as it is, for it sees
        labels by itself.

        Raises:
            VaelabError: where the number of classes is not known yet.
        """
        if settings.classes is None:
            raise VaelabError(translated("model.classes: expected the number of classes, such as 10; found none"))
        flat = settings.network.is_flat
        network = build_network(
            settings.network, with_label(given, settings.classes, flat=flat), key=key, wanted=wanted
        )
        if not isinstance(network, AbstractNetwork):
            return build_network(settings.network, given, key=key, wanted=wanted)
        zeros = jnp.zeros((settings.classes, network.out_shape[-1]))
        return cls(network=network, scale=zeros, shift=zeros, given=given, is_flat=flat, out_shape=network.out_shape)

    @property
    def classes(self) -> int:
        return self.scale.shape[0]

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "..."]:
        if condition is None:
            raise VaelabError(needs_a_label())
        label = jax.nn.one_hot(condition, self.classes)
        if self.is_flat:
            read: Any = jnp.concatenate([self.given.flat(given), label])
        else:
            read = jax.tree.map(lambda array: _beside(array, label), given)
        features = self.network(read, condition, key=key)
        scale, shift = (jnp.broadcast_to(label @ table, features.shape) for table in (self.scale, self.shift))
        return features * (1.0 + scale) + shift

    def at_label(self, label: Int[Array, ""]) -> "Told | None":
        """One network that no longer asks for the label, and what is left to do to its features; None where it has no such form."""
        if not self.is_flat:
            return None
        network = self.network.with_last_inputs(jax.nn.one_hot(label, self.classes))
        return None if network is None else Told(network, 1.0 + self.scale[label], self.shift[label])

    def reads_input(self) -> PyTree[bool]:
        mask = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda part: part.network, mask, self.network.reads_input())


class Told(NamedTuple):
    """A network told its label by its biases; its features are still to be multiplied and moved."""

    network: AbstractNetwork
    scale: Float[Array, " channels"]
    shift: Float[Array, " channels"]


class AtLabel(AbstractNetwork):
    """A network told one label for good: whoever calls it need not know of any."""

    network: AbstractNetwork
    label: Int[Array, ""]
    out_shape: Shape = eqx.field(static=True)

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "..."]:
        del condition
        return self.network(given, self.label, key=key)

    def reads_input(self) -> PyTree[bool]:
        mask = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda part: part.network, mask, self.network.reads_input())


def needs_a_label() -> str:
    """What is said where a conditional model is asked without a label."""
    return translated(
        "this model was trained with labels (model.condition = 'labels') and gives nothing without one: give the label, or ask for the "
        "marginal over labels"
    )


def with_label(given: Space, classes: int, *, flat: bool) -> Space:
    """The space of what is read: that of the input, with the label's one-hot code beside it."""
    if flat:
        return Space.of_shape((given.size + classes,))
    return Space(
        tuple(
            (*shape[:-1], shape[-1] + classes) if _has_channels(shape) else (*shape, 1 + classes)
            for shape in given.shapes
        ),
        given.tree,
    )


def _has_channels(shape: Shape) -> bool:
    """Whether the last axis counts channels: of a vector, and of a map (height, width, channels); a grey image has none."""
    return len(shape) != 2


def _beside(array: Any, label: Float[Array, " classes"]) -> Float[Array, "..."]:
    array = jnp.asarray(array) if _has_channels(array.shape) else jnp.asarray(array)[..., None]
    return jnp.concatenate([array, jnp.broadcast_to(label, (*array.shape[:-1], label.shape[0]))], axis=-1)
