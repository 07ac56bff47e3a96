"""log p(x) by importance sampling: the bound of Burda et al. at many samples, image by image.

    log p(x) >= E log 1/K sum_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)

(Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, eqs. 8 and 9.) The samples of an image run through in
chunks of about a thousand, so that memory does not grow with K and every matrix product is large enough to be quick.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Num, PRNGKeyArray, UInt32

from vaelab.densities import AbstractDensity, DiagonalNormal, Mixture
from vaelab.errors import VaelabError
from vaelab.evaluation.image_log_probs import log_probs_of_image
from vaelab.evaluation.inputs import check_has_density, checked_images
from vaelab.evaluation.mixture_log_probs import mixture_log_prob_of_points
from vaelab.model import Model
from vaelab.pixels import scaled

ROWS = 1000
"""Latent vectors decoded at once: enough for full speed, and their pixels (3 MB of 28 x 28) stay near the processor."""
CALL_SAMPLES = 200_000
"""Samples in one compiled call; between calls the progress is told."""


@dataclasses.dataclass(frozen=True)
class ImportanceEstimates:
    """For each image, in nats.

    - `log_prob`: log 1/K sum_k w_k, a lower bound of log p(x) on average, tight as K grows
    - `standard_error`: its Monte Carlo error over the K samples, by the delta method: sqrt((K sum w^2 / (sum w)^2 - 1) / (K - 1))
    - `elbo`: the mean of log w_k, an unbiased estimate of the evidence lower bound
    - `reconstruction`: the mean of log p(x|z_k)
    - `effective_samples`: (sum w)^2 / sum w^2, between 1 and K; a handful means that the estimate rests on a few lucky draws
    """

    samples: int
    log_prob: Float[np.ndarray, " images"]
    standard_error: Float[np.ndarray, " images"]
    elbo: Float[np.ndarray, " images"]
    reconstruction: Float[np.ndarray, " images"]
    effective_samples: Float[np.ndarray, " images"]


def importance_weighted_bound(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    *,
    samples: int,
    key: PRNGKeyArray,
    fixed_noise: bool = False,
    indices: Int[np.ndarray, " images"] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportanceEstimates:
    """The importance-weighted bound on log p(x) for each image, from `samples` draws of its posterior.

    **Arguments:**

    - `prior`: the density p(z), `model.prior.density(model)` or any other over the same latent space
    - `images`: as the model sees them, floats of shape (n, *image_shape), or uint8 to be scaled to [0, 1]
    - `samples`: K
    - `key`: image i draws by `fold_in(key, indices[i])`, so its estimate does not depend on which images stand beside it
    - `fixed_noise`: one set of noise for all images in place of that: a row's score is then a function of the row alone
    - `indices`: the images' numbers, 0 to n - 1 unless given
    - `on_progress`: called with (images done, images in all) every second or so

    **Raises:** `VaelabError` for an autoencoder, K < 1, and images that the model cannot score.
    """
    check_has_density(model, "log p(x) by importance sampling")
    if samples < 1:
        raise VaelabError(
            f"importance samples must be at least 1; found {samples}. 500 is quick, 5000 what papers report"
        )
    images = checked_images(model, images)
    count = len(images)
    numbers = np.arange(count) if indices is None else np.asarray(indices)
    if fixed_noise:
        numbers = np.zeros(count, int)
    chunks = math.ceil(samples / ROWS)
    chunk = math.ceil(samples / chunks)
    together = min(count, max(1, ROWS // chunk))  # images decoded side by side, where K is small
    groups = max(1, min(math.ceil(count / together), CALL_SAMPLES // (samples * together)))
    size = together * groups
    parts = []
    for start in range(0, count, size):
        here = np.minimum(
            np.arange(start, start + size), count - 1
        )  # the last call is filled up, and its filling dropped
        grouped = jnp.asarray(images[here]).reshape(groups, together, *images.shape[1:])
        numbered = jnp.asarray(numbers[here], jnp.uint32).reshape(groups, together)
        sums = _bound(model, prior, grouped, numbered, key, samples, chunk)
        done = min(start + size, count)
        parts.append([np.asarray(term, np.float64).reshape(-1)[: done - start] for term in sums])
        on_progress(done, count)
    log_sum, log_sum_of_squares, elbo, reconstruction = (np.concatenate(part) for part in zip(*parts, strict=True))
    share = np.minimum(np.exp(2.0 * log_sum - log_sum_of_squares), samples)
    error = np.sqrt(np.maximum(samples / share - 1.0, 0.0) / (samples - 1)) if samples > 1 else np.full(count, np.nan)
    return ImportanceEstimates(samples, log_sum - math.log(samples), error, elbo, reconstruction, share)


class _Sums(NamedTuple):
    log_sum: Float[Array, ""]  # log sum_k w_k
    log_sum_of_squares: Float[Array, ""]  # log sum_k w_k^2
    log_weight: Float[Array, ""]  # 1/K sum_k log w_k
    reconstruction: Float[Array, ""]


@eqx.filter_jit
def _bound(
    model: Model,
    prior: AbstractDensity,
    images: Num[Array, "groups together ..."],
    numbers: UInt32[Array, "groups together"],
    key: PRNGKeyArray,
    samples: int,
    chunk: int,
) -> _Sums:
    def one_image(image: Array, number: Array) -> _Sums:
        posterior = model.posterior(image)
        assert isinstance(posterior, DiagonalNormal)
        image_key = jr.fold_in(key, number)

        def add(sums: _Sums, place: Array) -> tuple[_Sums, None]:
            noise = jr.normal(jr.fold_in(image_key, place), (chunk, model.latent_dim))
            z = posterior.mean[None] + posterior.standard_deviation[None] * noise
            reconstruction = log_probs_of_image(model, image, z)
            log_q = -0.5 * (jnp.sum(noise**2, axis=1) + jnp.sum(posterior.log_variance + math.log(2.0 * math.pi)))
            log_weights = reconstruction + _prior_log_probs(prior, z) - log_q
            counted = place * chunk + jnp.arange(chunk) < samples
            weights = jnp.where(counted, log_weights, -jnp.inf)
            return _Sums(
                jnp.logaddexp(sums.log_sum, jax.nn.logsumexp(weights)),
                jnp.logaddexp(sums.log_sum_of_squares, jax.nn.logsumexp(2.0 * weights)),
                sums.log_weight + jnp.sum(jnp.where(counted, log_weights, 0.0)) / samples,
                sums.reconstruction + jnp.sum(jnp.where(counted, reconstruction, 0.0)) / samples,
            ), None

        nothing = jnp.float32(-jnp.inf)
        begin = _Sums(nothing, nothing, jnp.float32(0.0), jnp.float32(0.0))
        return jax.lax.scan(add, begin, jnp.arange(math.ceil(samples / chunk), dtype=jnp.int32))[0]

    return jax.lax.map(lambda group: jax.vmap(one_image)(scaled(group[0]), group[1]), (images, numbers))


def _prior_log_probs(prior: AbstractDensity, z: Float[Array, "samples latent"]) -> Float[Array, " samples"]:
    if isinstance(prior, Mixture) and isinstance(prior.components, DiagonalNormal):
        return mixture_log_prob_of_points(prior, z)
    return jax.vmap(prior.log_prob)(z)
