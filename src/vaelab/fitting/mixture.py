"""A Gaussian mixture by expectation maximisation, the number of its components by held-out likelihood."""

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from vaelab.door import option
from vaelab.errors import VaelabError
from vaelab.fitting.fitted import Fit
from vaelab.fitting.parts import Draws
from vaelab.language import plural, to_translate, translated
from vaelab.priors.mixture import MixturePrior

CANDIDATES = (1, 2, 5, 10, 20, 50, 100)
ITERATIONS = 100


def fit_mixture(draws: Draws, *, components: int | None = None, seed: int = 0) -> Fit:
    """A mixture of full-covariance Gaussians.

    Without `components`, those of `CANDIDATES` are tried in order, until two in a row do worse on the held-out draws than the best.

    Raises:
        VaelabError: where there are fewer draws than components.
    """
    count = len(draws.fitted)
    if components is not None and (components < 1 or components > count):
        raise VaelabError(
            translated(
                "{option}: expected from 1 to the {count} images that the mixture is fitted to; choose fewer, or "
                "give more images",
                option=option("components", components),
                count=count,
            )
        )
    # ten draws a component at least; fewer would only memorise
    candidates = (components,) if components is not None else [k for k in CANDIDATES if 10 * k <= count] or [1]
    tried: list[tuple[str, float]] = []
    best, best_score, worse = None, -np.inf, 0
    for number in candidates:
        fitted = _fitted(draws.fitted, number, seed)
        score = float(fitted.score(draws.held_out))
        tried.append((str(number), score))
        if score > best_score:
            best, best_score, worse = fitted, score, 0
        else:
            worse += 1
            if worse == 2:
                break
    assert best is not None
    scales = np.linalg.cholesky(np.asarray(best.covariances_))
    prior = MixturePrior.of(np.asarray(best.weights_), np.asarray(best.means_), scales)
    number = best.n_components
    words = plural("a single Gaussian", "a mixture of {count} Gaussians", number)
    return Fit(prior, words, to_translate("components") if components is None else None, _rounded(tried))


def _fitted(draws: Float[np.ndarray, "draws latent"], components: int, seed: int) -> GaussianMixture:
    mixture = GaussianMixture(components, max_iter=ITERATIONS, reg_covar=1e-6, random_state=seed)
    with warnings.catch_warnings():
        # the last iterations move the likelihood by thousandths of a nat; the held-out draws judge the result anyway
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(draws.astype(np.float64))


def _rounded(tried: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple((name, round(score, 4)) for name, score in tried)
