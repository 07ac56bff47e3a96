"""The negative evidence lower bound."""

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.model import Model, elbo_terms
from vaelab.objectives.base import AbstractObjective, Batch, LossTerms


class Elbo(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)), with the expectation over `samples` draws of z.

    beta = 1 is the evidence lower bound of Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 3; another
    beta that of Higgins et al., "beta-VAE", ICLR 2017, eq. 4.
    """

    samples: int = eqx.field(static=True, default=1)

    def __call__(self, model: Model, batch: Batch, beta: Float[Array, ""], key: PRNGKeyArray) -> LossTerms:
        prior = model.prior.density(model)
        count = batch.images.shape[0]

        def one_draw(key: PRNGKeyArray) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
            terms = jax.vmap(lambda image, key, label: elbo_terms(model, prior, image, key, label))(
                batch.images, jr.split(key, count), batch.labels
            )
            return -terms.reconstruction, terms.rate

        if self.samples == 1:
            reconstruction, kl = one_draw(key)
        else:
            draws = jax.vmap(one_draw)(jr.split(key, self.samples))
            reconstruction, kl = (term.mean(axis=0) for term in draws)
        return LossTerms(reconstruction + beta * kl, reconstruction, kl)
