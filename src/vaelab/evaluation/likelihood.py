"""log p(x) by importance sampling: the bound of Burda et al. at many samples, image by image.

    log p(x) >= E log 1/K sum_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)

(Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, eqs. 8 and 9.) The samples of an image run through in
chunks of about a thousand, so that memory does not grow with K and every matrix product is large enough to be quick.

The draws may also come from several widths of q(z|x) at once: in turn from N(m, (c_j s)^2) for each width c_j, all weighed by the
mixture of them, w = p(x|z) p(z) / sum_j a_j q_j(z|x), with a_j the share of the draws that q_j makes (the balance heuristic: Veach and
Guibas, "Optimally combining sampling techniques for Monte Carlo rendering", SIGGRAPH 1995, sec. 3.3; Owen and Zhou, "Safe and effective
importance sampling", JASA 2000). No weight can then exceed 1 / a_1 times what q(z|x) alone would give it, and a posterior that lies some
sigmas off its encoding is found.
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
from jaxtyping import Array, Float, Integer, Num, PRNGKeyArray, UInt32

from vaelab.batching import in_batches
from vaelab.codes import has_diagonal_posterior
from vaelab.densities import AbstractCentredDensity, AbstractDensity, DiagonalNormal
from vaelab.errors import VaelabError
from vaelab.evaluation.image_log_probs import log_probs_of_image
from vaelab.evaluation.inputs import check_has_density, checked_images
from vaelab.evaluation.mixture_log_probs import prior_log_probs
from vaelab.language import translated
from vaelab.model import Model
from vaelab.pixels import scaled

ROWS = 1000
"""Latent vectors decoded at once: enough for full speed, and their pixels (3 MB of 28 x 28) stay near the processor."""
CALL_SAMPLES = 200_000
"""Samples in one compiled call; between calls the progress is told."""
ALONE = (1.0,)
"""The draws of Burda et al.: from q(z|x) as it is."""
WIDENED = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Widths for one and two dimensions, where tutorials' encodings lie up to tens of sigma off: log p(x) of the tutorial's model is then
within 0.006 nats of quadrature at K = 5000, where q(z|x) alone misses 0.9 (`benchmarks/proposals.py`). In many dimensions wide draws
all miss, and only cost."""


def proposal_widths(latent_dim: int) -> tuple[float, ...]:
    """Where quadrature can check them, from widened posteriors too; elsewhere from q(z|x) alone, as published figures are."""
    return WIDENED if latent_dim <= 2 else ALONE


@dataclasses.dataclass(frozen=True)
class ImportanceEstimates:
    """For each image, in nats.

    - `log_prob`: log 1/K sum_k w_k, a lower bound of log p(x) on average, tight as K grows
    - `standard_error`: its Monte Carlo error over the K samples, by the delta method: sqrt((K sum w^2 / (sum w)^2 - 1) / (K - 1))
    - `elbo`: the mean of log p(x|z) p(z) / q(z|x) over the draws from q(z|x) itself, an unbiased estimate of the evidence lower bound
    - `reconstruction`: the mean of log p(x|z) over the same draws
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
    widths: tuple[float, ...] = ALONE,
    indices: Integer[np.ndarray, " images"] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportanceEstimates:
    """The importance-weighted bound on log p(x) for each image, from `samples` draws of its posterior.

    **Arguments:**

    - `prior`: the density p(z), `model.prior_density()` or any other over the same latent space
    - `images`: as the model sees them, floats of shape `(n, *image_shape)`, or uint8 to be scaled to [0, 1]
    - `samples`: K
    - `widths`: of the proposals, in sigmas of q(z|x), each with its equal share of the draws; the first is 1, which is q(z|x)
    - `key`: image i draws by `fold_in(key, indices[i])`, so its estimate does not depend on which images stand beside it
    - `indices`: the images' numbers, 0 to n - 1 unless given; by `row_numbers` an image's score is a function of itself alone
    - `on_progress`: called with (images done, images in all) every second or so

    **Raises:** `VaelabError` for an autoencoder, K < 1, and images that the model cannot score.
    """
    check_has_density(model, translated("log p(x) by importance sampling"))
    if samples < 1:
        raise VaelabError(
            translated(
                "importance samples must be at least 1; found {samples}. 500 is quick, 5000 what papers report",
                samples=samples,
            )
        )
    if not widths or widths[0] != 1.0 or min(widths) <= 0.0:
        raise VaelabError(
            translated("widths must be positive and begin with 1, for q(z|x) itself; found {widths}", widths=widths)
        )
    if not has_diagonal_posterior(model):
        widths = ALONE  # nobody knows how to widen another density
    widths = widths[:samples]  # where there are fewer draws than widths
    images = checked_images(model, images)
    count = len(images)
    numbers = np.arange(count) if indices is None else np.asarray(indices)
    chunks = math.ceil(samples / ROWS)
    chunk = math.ceil(samples / chunks)
    together = min(count, max(1, ROWS // chunk))  # images decoded side by side, where K is small
    groups = max(1, min(math.ceil(count / together), CALL_SAMPLES // (samples * together)))
    sums = in_batches(
        lambda some, numbers: _bound(model, prior, some, numbers, key, samples, chunk, widths),
        images,
        numbers.astype(np.uint32),
        rows=together,
        groups=groups,
        on_progress=on_progress,
    )
    log_sum, log_sum_of_squares, elbo, reconstruction = (term.astype(np.float64) for term in sums)
    share = np.minimum(np.exp(2.0 * log_sum - log_sum_of_squares), samples)
    error = np.sqrt(np.maximum(samples / share - 1.0, 0.0) / (samples - 1)) if samples > 1 else np.full(count, np.nan)
    return ImportanceEstimates(samples, log_sum - math.log(samples), error, elbo, reconstruction, share)


class _Sums(NamedTuple):
    log_sum: Float[Array, ""]  # log sum_k w_k
    log_sum_of_squares: Float[Array, ""]  # log sum_k w_k^2
    log_ratio: Float[Array, ""]  # the mean of log p(x|z) p(z) / q(z|x) over the draws from q(z|x) itself
    reconstruction: Float[Array, ""]  # the mean of log p(x|z) over the same


@eqx.filter_jit
def _bound(
    model: Model,
    prior: AbstractDensity,
    images: Num[Array, "groups together ..."],
    numbers: UInt32[Array, "groups together"],
    key: PRNGKeyArray,
    samples: int,
    chunk: int,
    widths: tuple[float, ...],
) -> _Sums:
    draws_of_width = np.bincount(np.arange(samples) % len(widths))
    own_draws = float(draws_of_width[0])

    def one_image(image: Array, number: Array) -> _Sums:
        posterior = model.posterior(image, prior)
        image_key = jr.fold_in(key, number)

        def add(sums: _Sums, place: Array) -> tuple[_Sums, None]:
            draw = place * chunk + jnp.arange(chunk)
            turn = draw % len(widths)
            z, log_proposal, log_posterior = _proposed(
                posterior, jr.fold_in(image_key, place), turn, widths, draws_of_width
            )
            reconstruction = log_probs_of_image(model, image, z)
            log_joint = reconstruction + prior_log_probs(prior, z)
            counted = draw < samples
            weights = jnp.where(counted, log_joint - log_proposal, -jnp.inf)
            own = counted & (turn == 0)
            log_ratio = log_joint - log_posterior
            return _Sums(
                jnp.logaddexp(sums.log_sum, jax.nn.logsumexp(weights)),
                jnp.logaddexp(sums.log_sum_of_squares, jax.nn.logsumexp(2.0 * weights)),
                sums.log_ratio + jnp.sum(jnp.where(own, log_ratio, 0.0)) / own_draws,
                sums.reconstruction + jnp.sum(jnp.where(own, reconstruction, 0.0)) / own_draws,
            ), None

        nothing = jnp.float32(-jnp.inf)
        begin = _Sums(nothing, nothing, jnp.float32(0.0), jnp.float32(0.0))
        return jax.lax.scan(add, begin, jnp.arange(math.ceil(samples / chunk), dtype=jnp.int32))[0]

    return jax.lax.map(lambda group: jax.vmap(one_image)(scaled(group[0]), group[1]), (images, numbers))


def _proposed(
    posterior: AbstractCentredDensity,
    key: PRNGKeyArray,
    turn: Integer[Array, " chunk"],
    widths: tuple[float, ...],
    draws_of_width: np.ndarray,
) -> tuple[Float[Array, "chunk latent"], Float[Array, " chunk"], Float[Array, " chunk"]]:
    """Draws, each of the width whose turn it is, their log-density under the mixture of all widths, and under q(z|x) itself."""
    chunk = turn.shape[0]
    if not isinstance(posterior, DiagonalNormal):
        z, log_posterior = jax.vmap(posterior.sample_and_log_prob)(jr.split(key, chunk))
        return z, log_posterior, log_posterior
    latent_dim = posterior.mean.shape[0]
    log_scale = 0.5 * jnp.sum(posterior.log_variance + math.log(2.0 * math.pi))
    noise = jnp.array(widths)[turn][:, None] * jr.normal(key, (chunk, latent_dim))
    square = jnp.sum(noise**2, axis=1)
    z = posterior.mean[None] + posterior.standard_deviation[None] * noise
    log_proposal = _log_proposal(square, widths, draws_of_width, latent_dim) - log_scale
    return z, log_proposal, -log_scale - 0.5 * square


def _log_proposal(
    square: Float[Array, " samples"], widths: tuple[float, ...], draws_of_width: np.ndarray, latent_dim: int
) -> Float[Array, " samples"]:
    """log sum_j a_j c_j^-d exp(-r^2 / 2 c_j^2) at draws r sigmas from the encoding: the mixture, without q's own log-scale."""
    if len(widths) == 1:
        return -0.5 * square
    log_shares = np.log(draws_of_width / draws_of_width.sum()) - latent_dim * np.log(widths)
    terms = [share - 0.5 * square / width**2 for share, width in zip(log_shares.tolist(), widths, strict=True)]
    return jax.nn.logsumexp(jnp.stack(terms), axis=0)
