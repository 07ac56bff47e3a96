"""What every prior offers."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from vaelab.densities import AbstractDensity

if TYPE_CHECKING:
    from vaelab.model import Model


class AbstractPrior(eqx.Module):
    """The parameters of p(z). `density(model)` is what is asked for `log_prob` and `sample`.

    It is taken once a step, outside the `vmap` over images, and may use the model (a VampPrior encodes its pseudo-inputs).
    """

    @abstractmethod
    def density(self, model: "Model") -> AbstractDensity:
        """p(z), over vectors of shape (latent,)."""

    def trainable(self) -> PyTree[bool]:
        """True for each array that training may move."""
        return jax.tree.map(eqx.is_inexact_array, self)

    def started_from(self, images: np.ndarray, labels: np.ndarray | None) -> "AbstractPrior":
        """The prior at the beginning of training, which may look at the training images (as they lie in memory: uint8 or float32) and labels."""
        del images, labels
        return self

