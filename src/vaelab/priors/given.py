"""A prior that Python gave."""

from typing import Any

from jaxtyping import PRNGKeyArray

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.priors.base import AbstractPrior, Shapes


class GivenPrior:
    """Builds what a factory makes: a subclass of `AbstractPrior`."""

    @staticmethod
    def build(settings: Any, shapes: Shapes, *, key: PRNGKeyArray) -> AbstractPrior:
        """The prior over vectors of as many numbers as z has.

        Raises:
            VaelabError: where the factory gives none, or one over another latent space.
        """
        prior = settings.made((shapes.latent_dim,), key)
        if not isinstance(prior, AbstractPrior):
            raise VaelabError(
                translated(
                    "{name}: expected a prior, a subclass of vaelab.priors.base.AbstractPrior; found {found_type}",
                    name=settings.name,
                    found_type=type(prior).__name__,
                )
            )
        if prior.latent_dim != shapes.latent_dim:
            raise VaelabError(
                translated(
                    "{name}: expected a prior over {latent_dim} latent dimensions; found one over {latent_dim_2}",
                    name=settings.name,
                    latent_dim=shapes.latent_dim,
                    latent_dim_2=prior.latent_dim,
                )
            )
        return prior
