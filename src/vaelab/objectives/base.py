"""What every objective offers: it sees the whole batch, as some must (MMD, total correlation), and gives each of its players a loss."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from vaelab.model import Model
from vaelab.objectives.terms import ImageTerms, elbo_of_images

MODEL = "model"
"""The player that is the model itself; every training has it."""


class Batch(NamedTuple):
    """Images as the model sees them, with their labels where the data have some."""

    images: Float[Array, "batch *image"]
    labels: Int[Array, " batch"] | None


class Loss(NamedTuple):
    """What one step minimises, what is said of it, and what it hands on.

    - `losses`: one for each player, of which it alone takes the gradient; any scalar whose gradient is meant
    - `shown`: what `metrics.jsonl` gets, averaged over the batch. In nats `loss`, `reconstruction` and `kl`, with
      loss = reconstruction + beta * kl, and whatever else an objective has to say, by its name
    - `state`: what moves without a gradient (a codebook's averages), of the shapes it had; given again at the next step
    """

    losses: dict[str, Float[Array, ""]]
    shown: dict[str, Float[Array, ""]]
    state: PyTree = None


class AbstractObjective(eqx.Module):
    """The loss of a batch, for the model and for those that play against it or beside it.

    Most have the model as their one player and need but `__call__`; what else is here has an answer for them.
    """

    @abstractmethod
    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        """The losses of a batch: `players["model"]` is the model, `state` what the step before returned; one key for each image."""

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        """Those that are trained beside the model, by name, before the first step: `{"critic": ...}`. Their floating-point arrays move."""
        del model, key
        return {}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        """Keys of `training.*` that a player has of its own: `{"critic": {"learning_rate": 1e-4}}`; the others are the run's."""
        return {}

    def start(self, model: Model, *, key: PRNGKeyArray) -> PyTree:
        """The state before the first step, a tree of arrays; None for an objective that has none."""
        del model, key

    def score(
        self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> dict[str, Float[Array, " batch"]]:
        """Terms for each held-out image, whose means stand as `val_...`: `loss`, `reconstruction` and `kl` among them; here the ELBO's."""
        return elbo_of_images(model, batch.images, batch.labels, beta, keys)


def of_the_model(terms: ImageTerms, state: PyTree = None) -> Loss:
    """The loss of an objective whose one player is the model: the means of its terms for each image."""
    shown = {name: values.mean() for name, values in terms.items()}
    return Loss({MODEL: shown["loss"]}, shown, state)
