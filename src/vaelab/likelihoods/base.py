"""What every likelihood offers."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Float

from vaelab.densities import AbstractDensityWithMean


class AbstractLikelihood(eqx.Module):
    """A latent vector in, p(x|z) out. The density has a `mean`, which is the picture shown."""

    kind: eqx.AbstractClassVar[str]  # as the configuration calls it

    @abstractmethod
    def __call__(self, z: Float[Array, " latent"]) -> AbstractDensityWithMean:
        """The density over one image, of the image's own shape."""
