"""What every network offers."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.space import Shape


class AbstractNetwork(eqx.Module):
    """One example in, its features out: a vector, or a map (height, width, channels). Its leaves are arrays and nothing else."""

    out_shape: eqx.AbstractVar[Shape]

    @abstractmethod
    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "..."]:
        """The features of one image or of one z, an array or a tree of arrays; `condition` is its label, `key` for dropout."""

    def at_label(self, label: Int[Array, ""]) -> Any:
        """`vaelab.networks.conditioned.Told`: of a network that is told the label its form for this one; None of any other."""
        del label
        return None

    def with_last_inputs(self, constant: Float[Array, " last"]) -> "AbstractNetwork | None":
        """The same over fewer inputs, the last of which are these for good; None where a network has no such form of its own."""
        del constant
        return None

    def reads_input(self) -> PyTree[bool]:
        """True for each weight that is multiplied with every value of the input, whose sum sets the pace of its steps.

        `training.first_layer_rate` is meant for them. None by default; of a convolution, which reads a few values at a time, too.
        """
        return jax.tree.map(lambda _: False, self)
