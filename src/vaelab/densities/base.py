"""What a density is: `log_prob(value)`, in nats, and `sample(key)`, for ONE value. Batches are `jax.vmap`'s business."""

from abc import abstractmethod
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated


class AbstractDensity(eqx.Module):
    """What has a log-density and can be drawn from. A value is an array, or a tree of arrays (docs/design.md, `Space`)."""

    has_density: ClassVar[bool] = True
    """False for a point mass: `log_prob` is refused, and there is neither KL nor likelihood."""

    draws_and_scores_at_once: ClassVar[bool] = False
    """Whether `sample_and_log_prob` is cheaper than the two apart."""

    quick_elsewhere: ClassVar[bool] = True
    """False where `log_prob` of a value that it did not draw is dear, as an inverse is: nobody asks it of all pairs of many."""

    @abstractmethod
    def log_prob(self, value: Any) -> Float[Array, ""]:
        """The log-density (nats) of one value, summed over all its entries."""

    @abstractmethod
    def sample(self, key: PRNGKeyArray) -> Any:
        """One draw; differentiable in the parameters where the family allows it."""

    def sample_and_log_prob(self, key: PRNGKeyArray) -> tuple[Any, Float[Array, ""]]:
        """One draw with its log-density: of a flow or a hierarchy in one pass, where two would do the work twice."""
        value = self.sample(key)
        return value, self.log_prob(value)

    def shared(self) -> PyTree[bool]:
        """True for each array that all densities of one family have in common, such as a flow's weights: a stack keeps it once."""
        return jax.tree.map(lambda _: False, self)

    def given(self, condition: Array | None) -> "AbstractDensity":
        """The density under a condition (an integer label): itself, for all that do not know of labels."""
        del condition
        return self


class AbstractCentredDensity(AbstractDensity):
    """A density with a value that stands for it: every posterior, whose centre is the code, and every likelihood, whose centre is shown."""

    centre_is_mean: ClassVar[bool] = True
    """False where the centre is another value that stands for it: where a flow sends its Gaussian's, the direction on a sphere."""

    @property
    @abstractmethod
    def centre(self) -> Any:
        """The code or the picture: the mean, the nearest code, the direction."""

    @property
    def lesson(self) -> Float[Array, ""] | None:
        """0, whose gradient is that of what training minimises beside the ELBO: what a codebook learns by. None for all others."""
        return None

    def log_prob_where(self, seen: Any, value: Any) -> Float[Array, ""]:
        """The log-density of those entries alone where `seen` is 1 (0 elsewhere), all others integrated out; `value` is any number
        there.

        Every likelihood of ours has it, for its entries are independent, or those of a place are; it is what inpainting asks.

        Raises:
            VaelabError: for a density that offers none.
        """
        del seen, value
        raise VaelabError(
            translated(
                "{name} does not say how likely a part of an image is (`log_prob_where`), so nothing can be drawn given a part of one",
                name=type(self).__name__,
            )
        )

    @property
    def marginal_log_variance(self) -> PyTree | None:
        """The log of each entry's variance, where there is a closed form; else None, and draws tell."""
        return None


def sample_many(density: AbstractDensity, key: PRNGKeyArray, count: int) -> Float[Array, "count ..."]:
    """`count` independent draws, stacked."""
    return jax.vmap(density.sample)(jr.split(key, count))
