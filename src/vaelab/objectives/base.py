"""What every objective offers: it sees the whole batch, as some must (MMD, total correlation), and returns its terms."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Int, Key

from vaelab.model import Model


class Batch(NamedTuple):
    """Images as the model sees them, with their labels where the data have some."""

    images: Float[Array, "batch *image"]
    labels: Int[Array, " batch"] | None


class LossTerms(NamedTuple):
    """Positive nats, one value an image: `loss = reconstruction + beta * kl`."""

    loss: Float[Array, " batch"]
    reconstruction: Float[Array, " batch"]
    kl: Float[Array, " batch"]


class AbstractObjective(eqx.Module):
    """The loss of a batch, image by image; training averages it."""

    @abstractmethod
    def __call__(self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]) -> LossTerms:
        """The terms for each image of the batch, with draws of z from its own key."""
