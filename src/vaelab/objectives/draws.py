"""A batch's draws and their ELBO, for objectives that add something to it."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from vaelab.densities import AbstractCentredDensity, AbstractDensity
from vaelab.model import ElboTerms, Model, elbo_terms
from vaelab.objectives.base import MODEL, Batch, Loss
from vaelab.objectives.terms import dropout_key


class Drawn(NamedTuple):
    """One z ~ q(z|x) of each image of a batch."""

    z: Float[Array, "batch latent"]
    terms: ElboTerms  # of each image, stacked
    prior: AbstractDensity  # p(z), over vectors

    @property
    def reconstruction(self) -> Float[Array, ""]:
        """-log p(x|z) in nats, averaged over the batch."""
        return -self.terms.reconstruction.mean()

    @property
    def kl(self) -> Float[Array, ""]:
        """KL(q(z|x) || p(z)) in nats, averaged over the batch."""
        return self.terms.rate.mean()

    @property
    def lesson(self) -> Float[Array, ""]:
        """0, with the gradient of what a codebook learns by, averaged over the batch; a constant for posteriors without one."""

        def of_image(posterior: AbstractCentredDensity) -> Array:
            return jnp.zeros(()) if posterior.lesson is None else posterior.lesson

        return jax.vmap(of_image)(self.terms.posterior).mean()


def drawn(model: Model, batch: Batch, keys: Key[Array, " batch"]) -> Drawn:
    """A draw of each image, as training sees it: networks with dropout leave out some of their features."""
    prior = model.prior_density()

    def one_image(image: Array, label: Array | None, key: PRNGKeyArray) -> ElboTerms:
        return elbo_terms(model, prior, image, key, label, dropout_key(key, True))

    terms = jax.vmap(one_image)(batch.images, batch.labels, keys)
    return Drawn(jax.vmap(model.latent.flat)(terms.z), terms, prior)


def drawn_from_prior(
    prior: AbstractDensity, labels: Int[Array, " batch"] | None, keys: Key[Array, " batch"]
) -> Float[Array, "batch latent"]:
    """A draw of p(z) for each image: given its label, where the prior knows of labels, as the codes are drawn to it."""
    return jax.vmap(lambda label, key: prior.given(label).sample(jr.fold_in(key, 2)))(labels, keys)


def with_terms(
    drawn: Drawn,
    beta: Float[Array, ""],
    weighted: Mapping[str, tuple[float | Float[Array, ""], Float[Array, ""]]],
    state: PyTree = None,
    *,
    pixels: float = 1.0,
    players: Mapping[str, Float[Array, ""]] | None = None,
) -> Loss:
    """The model minimises pixels * reconstruction + beta * KL + sum of weight * term; `players` are the losses of those beside it.
    Whatever the weight of the pixels, a codebook learns by the whole of its lesson, which comes with the reconstruction.

    Shown are the ELBO's parts, for which loss = reconstruction + beta * kl as in any objective, each term by its name, `minimised`, which
    is all that the model minimises, and the others' losses.
    """
    beside = dict(players or {})
    loss = drawn.reconstruction + beta * drawn.kl
    own = loss
    if pixels != 1.0:
        own = pixels * drawn.reconstruction + (1.0 - pixels) * drawn.lesson + beta * drawn.kl
    minimised = own + sum((weight * term for weight, term in weighted.values()), jnp.zeros(()))
    shown = {"loss": loss, "reconstruction": drawn.reconstruction, "kl": drawn.kl, "minimised": minimised}
    shown |= {name: term for name, (_, term) in weighted.items()} | beside
    return Loss({MODEL: minimised, **beside}, shown, state)
