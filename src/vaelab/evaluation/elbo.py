"""The evidence lower bound of each row and its parts."""

import math
from typing import NamedTuple

import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Num, UInt32

from vaelab.batching import in_batches
from vaelab.codes import Codes, codes_of
from vaelab.densities import AbstractCentredDensity, DiagonalNormal, kl_divergence
from vaelab.evaluation.expectations import posterior_expectations
from vaelab.evaluation.inputs import check_has_density
from vaelab.evaluation.row_numbers import row_numbers
from vaelab.language import translated
from vaelab.model import Model
from vaelab.pixels import scaled

DRAWS = 50


class ElboParts(NamedTuple):
    """The evidence lower bound of each row and its parts, in nats: elbo = -(reconstruction + kl).

    `standard_error` is what the draws leave open of each row's `elbo`; in one and two dimensions, where the expectations are integrals that
    can be done, how far the last two sums for them lie apart.
    """

    elbo: Float[np.ndarray, " n"]
    reconstruction: Float[np.ndarray, " n"]
    kl: Float[np.ndarray, " n"]
    kl_per_dimension: Float[np.ndarray, "n latent"] | None  # None where the prior does not factorise
    standard_error: Float[np.ndarray, " n"]


def elbo_of(model: Model, images: Num[np.ndarray, "n ..."]) -> ElboParts:
    """The bound E_q[log p(x|z)] - KL(q(z|x) || p(z)) of each image as the model sees it (uint8 is scaled to [0, 1]).

    In one and two dimensions by quadrature over q(z|x), so that it never exceeds log p(x); beyond, over 50 draws of z whose noise is
    keyed on the image's content: a row's parts are the same at every call and in every subset, and errors average out over rows. The KL
    is in closed form where there is one.

    **Raises:** `VaelabError` for an autoencoder, which has none.
    """
    check_has_density(model, translated("an evidence lower bound"))
    codes = codes_of(model, images)
    if model.latent_dim <= 2 and codes.is_diagonal:
        prior = model.prior_density().given(None)
        mean, log_variance = np.asarray(codes.centres, np.float64), np.asarray(codes.log_variances, np.float64)
        found = posterior_expectations(model, prior, images, mean, log_variance)
        entropy = np.sum(0.5 * (log_variance + math.log(2.0 * math.pi * math.e)), axis=1)
        per_dimension = _divergences(model, codes)
        kl = -entropy - found.log_prior if per_dimension is None else per_dimension.sum(axis=1)
        return ElboParts(found.reconstruction - kl, -found.reconstruction, kl, per_dimension, found.error)
    reconstruction, kl, per_dimension, error = in_batches(
        lambda *rows: _terms(model, *rows),
        images,
        row_numbers(images),
        features=DRAWS * math.prod(model.image_shape),
    )
    return ElboParts(-(reconstruction + kl), reconstruction, kl, per_dimension, error)


def _divergences(model: Model, codes: Codes) -> Float[np.ndarray, "n latent"] | None:
    """KL(q(z_d|x) || p(z_d)) of each dimension in closed form, where there is one."""
    prior = model.prior_density().given(None)
    return codes.divergences(prior)


@jax.jit
def _terms(model: Model, images: Array, numbers: UInt32[Array, " n"]) -> tuple[Array, Array, Array | None, Array]:
    prior = model.prior_density().given(None)

    def of_image(image: Array, number: Array) -> tuple[Array, Array, Array | None, Array]:
        posterior = model.posterior(image, prior)
        per_dimension = kl_divergence(posterior, prior)

        def at(z: Array, log_posterior: Array) -> tuple[Array, Array]:
            return -model.likelihood(z).log_prob(image), log_posterior - prior.log_prob(z)

        reconstruction, log_ratio = jax.vmap(at)(*_draws_of(posterior, jr.fold_in(jr.key(0), number), model.latent_dim))
        drawn = reconstruction if per_dimension is not None else reconstruction + log_ratio
        error = drawn.std() * math.sqrt(1.0 / (DRAWS - 1))
        kl = log_ratio.mean() if per_dimension is None else per_dimension.sum()
        return reconstruction.mean(), kl, per_dimension, error

    return jax.vmap(of_image)(scaled(images), numbers)


def _draws_of(
    posterior: AbstractCentredDensity, key: Array, latent_dim: int
) -> tuple[Float[Array, "draws latent"], Float[Array, " draws"]]:
    """Draws, and log q(z|x) of each."""
    if isinstance(posterior, DiagonalNormal):
        z = posterior.mean[None] + posterior.standard_deviation[None] * jr.normal(key, (DRAWS, latent_dim))
        return z, jax.vmap(posterior.log_prob)(z)
    return jax.vmap(posterior.sample_and_log_prob)(jr.split(key, DRAWS))
