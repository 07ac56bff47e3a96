"""Exact log p(x) = log int p(x|z) p(z) dz in one and two latent dimensions, for any prior with a density, and the exact ELBO beside it.

Two integrals, each taken where its own integrand lies. p(x|z) p(z) is summed over a lattice that all images share, refined until its
sums have settled (`shared_lattice.py`), and for images whose p(z|x) is too narrow for it over a lattice of their own
(`own_lattice.py`); the expectations under q(z|x) are taken at nodes of q(z|x) itself (`expectations.py`). So what either costs does not
depend on how good the encoder is.

The cost is bounded, whatever the model: in decoded points at most 128^2 for the first lattice (fewer where images are large), 2^30
pixels' worth for its refinements, and for each image 65 to 3,091 under q(z|x) and, where it needs a lattice of its own, about 2,500 for
the climb to its modes and 16,384 for the lattice; typically 65, and a thousand more.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Num

from vaelab.codes import codes_of
from vaelab.densities import AbstractDensity
from vaelab.errors import VaelabError
from vaelab.evaluation.expectations import ROUNDING, log_joint_at, posterior_expectations
from vaelab.evaluation.inputs import check_diagonal, check_has_density, checked_images
from vaelab.evaluation.latent_box import latent_box
from vaelab.evaluation.own_lattice import own_lattices
from vaelab.evaluation.shared_lattice import shared_lattice
from vaelab.language import translated
from vaelab.model import Model

TOLERANCE = 0.01
"""Nats that an image's lattice may differ from those of twice its spacing; the lattice itself is then better by far."""


@dataclasses.dataclass(frozen=True)
class ExactLikelihood:
    """For each image, in nats:

    - `log_prob`: log p(x)
    - `error`: the most that a lattice of twice the spacing differs from it. The finer one's own error is far smaller.
    - `elbo`: the evidence lower bound, `reconstruction` + E_q[log p(z)] + H(q)
    - `elbo_error`: how far the last two sums for it lie apart
    - `reconstruction`: E_q[log p(x|z)]; `expected_log_prior`: E_q[log p(z)]
    - `settled`: whether `error` is within the tolerance (or the rounding of single precision, where that is more)
    - `own`: whether the image has a lattice of its own

    And `prior_mass`, the integral of the prior over the shared lattice, 1 where all is well; `low` and `high`, its corners.
    """

    log_prob: Float[np.ndarray, " images"]
    error: Float[np.ndarray, " images"]
    elbo: Float[np.ndarray, " images"]
    elbo_error: Float[np.ndarray, " images"]
    reconstruction: Float[np.ndarray, " images"]
    expected_log_prior: Float[np.ndarray, " images"]
    settled: Bool[np.ndarray, " images"]
    own: Bool[np.ndarray, " images"]
    low: Float[np.ndarray, " latent"]
    high: Float[np.ndarray, " latent"]
    prior_mass: float

    @property
    def inference_gap(self) -> Float[np.ndarray, " images"]:
        """KL(q(z|x) || p(z|x)) = log p(x) - ELBO (Cremer et al., "Inference suboptimality in VAEs", ICML 2018, eq. 5), exact."""
        return self.log_prob - self.elbo


def check_dimensions(latent_dim: int) -> None:
    """**Raises:** `VaelabError` where the latent space has more than two dimensions, saying why not."""
    if latent_dim > 2:
        raise VaelabError(
            translated(
                "quadrature needs a latent space of one or two dimensions; this one has {latent_dim}, and a grid "
                "of 200 points a dimension would have {points:.0e}. Use importance sampling: "
                "--importance-samples 5000",
                latent_dim=latent_dim,
                points=200.0**latent_dim,
            )
        )


def exact_log_probs(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    *,
    tolerance: float = TOLERANCE,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExactLikelihood:
    """log p(x) and the ELBO of each image by quadrature over the latent space.

    **Arguments:**

    - `prior`: the density p(z)
    - `images`: as the model sees them, floats of shape `(n, *image_shape)`, or uint8 to be scaled to [0, 1]
    - `tolerance`: nats that two sums for one integral may differ
    - `on_progress`: called with (images done, images in all), about

    **Raises:** `VaelabError` for three dimensions and more, an autoencoder, images that the model cannot score, and a model that has
    diverged.
    """
    check_has_density(model, translated("log p(x) by quadrature"))
    check_dimensions(model.latent_dim)
    images = checked_images(model, images)
    codes = codes_of(model, images)
    check_diagonal(codes)
    mean, log_variance = np.asarray(codes.centres, np.float64), np.asarray(codes.log_variances, np.float64)
    sigma = np.exp(0.5 * log_variance)
    count = len(images)
    at_mean = log_joint_at(model, prior, images, mean)
    allowed = np.maximum(tolerance, ROUNDING * np.abs(at_mean))
    # what is settled on the shared lattice is done; what is left takes as long again, about
    shared = shared_lattice(
        model, prior, images, mean, sigma, latent_box(prior, mean, log_variance), tolerance=allowed, seen=at_mean,
        on_progress=lambda done, total: on_progress(done // 2, total),
    )  # fmt: skip
    log_prob, error = shared.log_prob.copy(), shared.error.copy()
    left = np.flatnonzero(~shared.settled)
    if len(left):
        starts = np.concatenate([mean[left, None], shared.starts[left]], axis=1)
        own = own_lattices(
            model, prior, images[left], starts, shared, tolerance=allowed[left],
            on_progress=lambda done, total: on_progress(count // 2 + done * count // (4 * total), count),
        )  # fmt: skip
        log_prob[left], error[left] = own.log_prob, own.error
    terms = [part.copy() for part in (shared.reconstruction, shared.log_prior, shared.expectation_error)]
    left = np.flatnonzero(~(shared.expectation_error < allowed))
    if len(left):
        under_q = posterior_expectations(
            model, prior, images[left], mean[left], log_variance[left], tolerance=tolerance,
            on_progress=lambda done, total: on_progress(3 * count // 4 + done * count // (4 * total), count),
        )  # fmt: skip
        for part, found in zip(terms, (under_q.reconstruction, under_q.log_prior, under_q.error), strict=True):
            part[left] = found
    on_progress(count, count)
    reconstruction, expected_log_prior, elbo_error = terms
    entropy = np.sum(0.5 * log_variance + 0.5 * math.log(2.0 * math.pi * math.e), axis=1)
    return ExactLikelihood(
        log_prob,
        error,
        reconstruction + expected_log_prior + entropy,
        elbo_error,
        reconstruction,
        expected_log_prior,
        error < allowed,
        ~shared.settled,
        shared.low,
        shared.high,
        shared.prior_mass,
    )
