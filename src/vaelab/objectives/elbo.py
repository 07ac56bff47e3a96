"""The negative evidence lower bound."""

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray

from vaelab.model import Model, elbo_terms
from vaelab.objectives.base import AbstractObjective, Batch, LossTerms
from vaelab.objectives.settings import ElboSettings


class Elbo(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)), with the expectation over `samples` draws of z.

    beta = 1 is the evidence lower bound of Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 3; another
    beta that of Higgins et al., "beta-VAE", ICLR 2017, eq. 4.
    """

    samples: int = eqx.field(static=True, default=1)

    @classmethod
    def build(cls, settings: ElboSettings) -> "Elbo":
        return cls(settings.samples)

    def __call__(self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]) -> LossTerms:
        prior = model.prior_density()

        def one_image(image: Array, label: Array | None, key: PRNGKeyArray) -> tuple[Array, Array]:
            if self.samples == 1:
                terms = elbo_terms(model, prior, image, key, label)
                return -terms.reconstruction, terms.rate
            terms = jax.vmap(lambda key: elbo_terms(model, prior, image, key, label))(jr.split(key, self.samples))
            return -terms.reconstruction.mean(), terms.rate.mean()

        reconstruction, kl = jax.vmap(one_image)(batch.images, batch.labels, keys)
        return LossTerms(reconstruction + beta * kl, reconstruction, kl)
