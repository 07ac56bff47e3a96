"""What every prior offers."""

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional
from vaelab.densities import AbstractDensity
from vaelab.settings import PriorSettings

Scoring = Literal["any", "quadrature", "bound"]


class Shapes(NamedTuple):
    """What a prior is built for: how many numbers z has, and the shape of an image."""

    latent_dim: int
    image_shape: tuple[int, ...] = ()


class AbstractPrior(eqx.Module):
    """The parameters of p(z). `density(encoder)` is what is asked for `log_prob` and `sample`.

    It is taken once a step, outside the `vmap` over images, and may use the encoder (a VampPrior encodes its pseudo-inputs).
    A prior's leaves are arrays and nothing else, so that a model with any prior passes through plain `jax.jit`.
    """

    latent_dim: eqx.AbstractVar[int]
    reads_encoder: ClassVar[bool] = False
    """Whether `density` asks the encoder; of a conditional model it is then asked for each label."""

    @abstractmethod
    def density(self, encoder: AbstractConditional | None = None) -> AbstractDensity:
        """p(z), over vectors of shape (latent,). Only a VampPrior asks for the encoder."""

    @abstractmethod
    def settings(self) -> PriorSettings:
        """What rebuilds its shapes: the header of its file."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of the images that it holds, for which it is built; none for most."""
        return ()

    @property
    def scoring(self) -> Scoring:
        """How a likelihood under this prior may be had.

        - `any`: `log_prob` is exact and cheap; importance sampling and quadrature both serve.
        - `quadrature`: `log_prob` is exact, but so dear that importance sampling through it would take days.
        - `bound`: `log_prob` is a lower bound, so what follows from it is a bound too.
        """
        return "any"

    @property
    def labels(self) -> tuple[int, ...] | None:
        """The labels that `density(model).given(label)` has a density of its own for; None where it knows of none."""
        return None

    def trainable(self) -> PyTree[bool]:
        """True for each array that training may move."""
        return jax.tree.map(eqx.is_inexact_array, self)

    def started_from(self, images: np.ndarray, labels: np.ndarray | None, *, key: PRNGKeyArray) -> "AbstractPrior":
        """The prior at the beginning of training, which may look at the training images (raw: uint8, or floating point) and labels.

        Raises:
            VaelabError: where it needs labels and there are none.
        """
        del images, labels, key
        return self
