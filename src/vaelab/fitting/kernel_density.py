"""A kernel density estimate, its bandwidth by held-out likelihood."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from vaelab.fitting.fitted import Fit
from vaelab.fitting.parts import Draws, log_probs
from vaelab.language import to_translate
from vaelab.priors.kernel import KernelPrior

MOST_POINTS = 10_000
JUDGES = 2_000
FACTORS = (1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12)
"""Times the bandwidth of Scott's rule, which is right for one Gaussian and too wide for many clusters."""


def fit_kernel_density(draws: Draws, *, seed: int = 0) -> Fit:
    """A Gaussian kernel on each draw, its width in each dimension a factor times Scott's spread * n^(-1/(d + 4)).

    Scott, "Multivariate density estimation", 1992, eq. 6.44. The factors are tried from the widest on, until two in a row do worse.
    """
    del seed  # nothing is drawn
    points = draws.fitted[:MOST_POINTS]
    scott = draws.spread * len(points) ** (-1.0 / (draws.latent_dim + 4))
    prior = KernelPrior(jnp.asarray(points, jnp.float32), jnp.asarray(scott, jnp.float32))
    judges = draws.held_out[:JUDGES]
    tried: list[tuple[str, float]] = []
    best, best_score, worse = prior, -np.inf, 0
    for factor in FACTORS:
        candidate = eqx.tree_at(lambda prior: prior.bandwidth, prior, jnp.asarray(factor * scott, jnp.float32))
        score = float(log_probs(candidate.density(), judges).mean())
        tried.append((f"{factor:g}", round(score, 4)))
        if score > best_score:
            best, best_score, worse = candidate, score, 0
        else:
            worse += 1
            if worse == 2:
                break
    widths = np.asarray(best.bandwidth)
    words = to_translate(
        "Gaussian kernels of width {width:.3g} on {draws} draws", width=widths.mean(), draws=len(points)
    )
    notes = (to_translate("its likelihood is reported by quadrature only, so in one or two latent dimensions"),)
    return Fit(best, words, to_translate("times Scott's bandwidth"), tuple(tried), notes)
