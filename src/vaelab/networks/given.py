"""A network that Python gave: any Equinox module that maps one example to its features."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.networks.base import AbstractNetwork
from vaelab.space import Shape, Space


@dataclass(frozen=True)
class Structure:
    """All of a module but its arrays: activation functions and the like. Hashable by what made it, so that a second model of the same
    factory runs the first one's compiled programs; and picklable with it, which a module that holds `jax.nn.relu` is not.
    """

    given: Callable[[Any, PRNGKeyArray], Any] | eqx.Module
    space: Space  # of its input

    def __hash__(self) -> int:
        return hash((id(self.given) if isinstance(self.given, eqx.Module) else self.given, self.space))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Structure) or self.space != other.space:
            return False
        return self.given is other.given if isinstance(self.given, eqx.Module) else self.given == other.given

    def module(self, arrays: PyTree) -> Any:
        """The module with these arrays."""
        return eqx.combine(arrays, _without_arrays(self))


@lru_cache(maxsize=64)
def _without_arrays(structure: Structure) -> Any:
    given = structure.given
    with jax.ensure_compile_time_eval():
        made = given if isinstance(given, eqx.Module) else given(structure.space.tree_of_shapes, jr.key(0))
    return eqx.filter(made, eqx.is_array, inverse=True)


class GivenNetwork(AbstractNetwork):
    """Another library's module behind the interface of ours. It is called with `key` and `condition` where it names them."""

    arrays: PyTree
    structure: Structure = eqx.field(static=True)
    takes: frozenset[str] = eqx.field(static=True)
    out_shape: Shape = eqx.field(static=True)

    @classmethod
    def build(cls, settings: Any, given: Space, *, key: PRNGKeyArray) -> AbstractNetwork:
        """The network over inputs of this space; one of ours (a subclass of `AbstractNetwork`) as it is.

        Raises:
            VaelabError: where the factory gives no module, one that cannot be called with one example, or gives no array.
        """
        shape = given.tree_of_shapes
        module = settings.made(shape, key)
        if isinstance(module, AbstractNetwork):
            return module
        if not (isinstance(module, eqx.Module) and callable(module)):
            raise VaelabError(
                translated(
                    "{name}: expected a network, an Equinox module that is called with one example; found {found_type}",
                    name=settings.name,
                    found_type=type(module).__name__,
                )
            )
        takes = frozenset({"key", "condition"} & set(inspect.signature(module).parameters))
        arrays, structure = eqx.filter(module, eqx.is_array), Structure(settings.given, given)
        network = cls(arrays=arrays, structure=structure, takes=takes, out_shape=())
        example = given.back(jax.numpy.zeros(given.size))
        try:
            label = jax.numpy.int32(0) if "condition" in takes else None
            features = eqx.filter_eval_shape(lambda network, x: network(x, label), network, example)
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise VaelabError(
                translated(
                    "{name}: the network could not be called with one example of shape {shape} as a function of its arrays "
                    "({found_type}: {first})",
                    name=settings.name,
                    shape=shape,
                    found_type=type(error).__name__,
                    first=first,
                )
            ) from error
        if not isinstance(features, jax.ShapeDtypeStruct) or features.ndim == 0:
            raise VaelabError(
                translated(
                    "{name}: expected features, one array of one axis or more for one example; found {features}",
                    name=settings.name,
                    features=features,
                )
            )
        return cls(arrays=arrays, structure=structure, takes=takes, out_shape=features.shape)

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "..."]:
        named = {"key": key, "condition": condition}
        module = self.structure.module(self.arrays)
        # another library's lines are written for JAX's default rules on mixed dtypes and ranks; ours may be stricter
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return module(given, **{name: named[name] for name in self.takes})
