"""The negative evidence lower bound of each image of a batch."""

import jax
import jax.random as jr
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from vaelab.model import Model, elbo_terms

ImageTerms = dict[str, Float[Array, " batch"]]
"""Positive nats, one value an image: `loss`, `reconstruction` and `kl`, with loss = reconstruction + beta * kl."""


def elbo_of_images(
    model: Model,
    images: Float[Array, "batch *image"],
    labels: Int[Array, " batch"] | None,
    beta: Float[Array, ""],
    keys: Key[Array, " batch"],
    samples: int = 1,
    *,
    in_training: bool = False,
) -> dict[str, Float[Array, " batch"]]:
    """loss = E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)) of each image, the expectation over `samples` draws of z.

    `in_training`: networks with dropout leave some of their features out.
    """
    prior = model.prior_density()

    def one_image(image: Array, label: Array | None, key: PRNGKeyArray) -> tuple[Array, Array]:
        if samples == 1:
            terms = elbo_terms(model, prior, image, key, label, dropout_key(key, in_training))
            return -terms.reconstruction, terms.rate
        terms = jax.vmap(lambda key: elbo_terms(model, prior, image, key, label, dropout_key(key, in_training)))(
            jr.split(key, samples)
        )
        return -terms.reconstruction.mean(), terms.rate.mean()

    reconstruction, kl = jax.vmap(one_image)(images, labels, keys)
    return {"loss": reconstruction + beta * kl, "reconstruction": reconstruction, "kl": kl}


def dropout_key(key: PRNGKeyArray, in_training: bool) -> PRNGKeyArray | None:
    """The key of what networks leave out while an image's latent is drawn by `key`; None but in training."""
    return jr.fold_in(key, 1) if in_training else None
