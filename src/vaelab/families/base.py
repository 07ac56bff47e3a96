"""What every family offers, of q(z|x) and of p(x|z) alike."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PyTree

from vaelab.densities import AbstractCentredDensity
from vaelab.densities.codebook import AbstractCodebook
from vaelab.space import Shape, Space
from vaelab.support import Support


class AbstractFamily(eqx.Module):
    """Which numbers a density of the family needs, and the density that they make.

    Numbers that all examples share (a learned scale) are the family's own leaves.
    """

    support: eqx.AbstractVar[Support]
    space: eqx.AbstractVar[Space]  # of the values that its densities are over

    @abstractmethod
    def parameters(self) -> dict[str, Shape]:
        """The numbers that a network gives for one example, by name: each becomes a head of that shape."""

    @abstractmethod
    def __call__(self, **parameters: Float[Array, "..."]) -> AbstractCentredDensity:
        """The density that these numbers make."""

    def starting_bias(self, mean: Float[Array, "..."]) -> dict[str, Array]:
        """The heads' biases that make `mean` (a value of the space: the mean image) the centre; empty where there are none such."""
        del mean
        return {}

    def own_paced(self) -> PyTree[bool]:
        """True for each of its own leaves that moves at its own pace (`own_pace.py`), and not by the run's optimiser."""
        return jax.tree.map(lambda _: False, self)

    def codebook(self) -> AbstractCodebook | None:
        """The values that z may have, where they are codes."""
        return None

    def on_page(self) -> dict[str, Any]:
        """What the explorer's page needs for its own score of an image: the `form` of log p(x|z), where it is one that the page computes.
        `bernoulli` and `continuous-bernoulli` go by the decoder's logits; `gaussian`, `laplace` and `discretised-logistic`, of one `scale`,
        by what it gives for a mean. Empty: the server scores.
        """
        return {}
