"""What every posterior offers."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Float

from vaelab.densities import AbstractDensityWithMean
from vaelab.networks import Mlp


class AbstractPosterior(eqx.Module):
    """An image in, q(z|x) out."""

    network: eqx.AbstractVar[Mlp]

    @abstractmethod
    def __call__(self, image: Float[Array, " *image"]) -> AbstractDensityWithMean:
        """The density over z, shape (latent,), for one image as the model sees it."""
