"""A prior that Python gave."""

from typing import Any

from jaxtyping import PRNGKeyArray

from vaelab.errors import VaelabError
from vaelab.priors.base import AbstractPrior


class GivenPrior:
    """Builds what a factory makes: a subclass of `AbstractPrior`."""

    @staticmethod
    def build(settings: Any, latent_dim: int, image_shape: tuple[int, ...], *, key: PRNGKeyArray) -> AbstractPrior:
        """The prior over vectors of `latent_dim` numbers.

        Raises:
            VaelabError: where the factory gives none, or one over another latent space.
        """
        del image_shape
        prior = settings.made((latent_dim,), key)
        if not isinstance(prior, AbstractPrior):
            raise VaelabError(
                f"{settings.name}: expected a prior, a subclass of vaelab.priors.base.AbstractPrior; found {type(prior).__name__}"
            )
        if prior.latent_dim != latent_dim:
            raise VaelabError(
                f"{settings.name}: expected a prior over {latent_dim} latent dimensions; found one over {prior.latent_dim}"
            )
        return prior
