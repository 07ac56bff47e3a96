"""The closing argument of the tutorial in one dimension: two modes, one Gaussian over both, and the mixture that repairs it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

from vaelab.language import to_translate

SCALE = 0.6
"""Standard deviation of each of the two modes."""

HELD_OUT = 10_000


@dataclass(frozen=True)
class Line:
    """A one-dimensional mixture of Gaussians; one Gaussian is a mixture of one."""

    weights: Float[np.ndarray, " components"]
    means: Float[np.ndarray, " components"]
    scales: Float[np.ndarray, " components"]

    def log_density(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        white = (x[None] - self.means[:, None]) / self.scales[:, None]
        log_weights = np.log(self.weights / self.scales)[:, None]
        return np.asarray(logsumexp(log_weights - 0.5 * white**2 - 0.5 * np.log(2.0 * np.pi), axis=0))

    def density(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        return np.exp(self.log_density(x))

    def draws(self, count: int, generator: np.random.Generator) -> Float[np.ndarray, " count"]:
        which = generator.choice(len(self.weights), count, p=self.weights)
        return self.means[which] + self.scales[which] * generator.normal(size=count)


@dataclass(frozen=True)
class Judged:
    """A density fitted to the samples, and how it does."""

    name: str
    line: Line
    held_out: float  # mean log-likelihood of fresh draws, nats
    standard_error: float  # over those draws
    empty_mass: float  # its mass where there is no sample


@dataclass(frozen=True)
class Bimodal:
    """Samples of two modes, the truth, the two fits; `reach` says what "no sample near" means."""

    separation: float  # of the two modes, in units of the data
    samples: Float[np.ndarray, " samples"]
    reach: float  # 99 % of fresh draws lie within it of a sample
    truth: Judged
    gaussian: Judged
    mixture: Judged

    @property
    def all(self) -> tuple[Judged, Judged, Judged]:
        return self.truth, self.gaussian, self.mixture


def bimodal(separation: float = 5.0, count: int = 100, seed: int = 0) -> Bimodal:
    """Draw samples from two modes and fit a single Gaussian and a mixture of two, both by maximum likelihood.

    The mass of a density "where there is no sample" is its integral over the points farther than `reach` from every sample. The reach
    is the distance within which 99 % of 10,000 fresh draws of the truth have a sample, so the truth itself has about 0.01.
    """
    generator = np.random.default_rng(seed)
    half = np.full(2, 0.5)
    true_line = Line(half, np.array([-0.5, 0.5]) * separation, np.full(2, SCALE))
    # as many samples of each mode: the picture is not about their luck
    noise = generator.normal(size=count) * SCALE
    samples = np.sort(true_line.means[np.arange(count) % 2] + noise)
    fresh = true_line.draws(HELD_OUT, generator)
    reach = float(np.quantile(distances(samples, fresh), 0.99))

    single = Line(np.ones(1), samples.mean(keepdims=True), samples.std(keepdims=True))
    # one width for both modes: where they are one, a second width would be spent on a chance cluster
    peer = GaussianMixture(2, covariance_type="tied", random_state=seed, n_init=3, tol=1e-6, max_iter=2000)
    peer.fit(samples[:, None])
    width = np.sqrt(np.asarray(peer.covariances_)[0, 0])
    double = Line(np.asarray(peer.weights_), np.asarray(peer.means_)[:, 0], np.full(2, width))

    def judged(name: str, line: Line) -> Judged:
        log_likelihoods = line.log_density(fresh)
        error = log_likelihoods.std(ddof=1) / np.sqrt(HELD_OUT)
        return Judged(name, line, float(log_likelihoods.mean()), float(error), empty_mass(line, samples, reach))

    return Bimodal(
        separation,
        samples,
        reach,
        judged(to_translate("the true density"), true_line),
        judged(to_translate("the best single Gaussian"), single),
        judged(to_translate("a mixture of two"), double),
    )


def distances(samples: Float[np.ndarray, " samples"], x: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """From each point to the nearest of the sorted samples."""
    right = np.clip(np.searchsorted(samples, x), 1, len(samples) - 1)
    return np.minimum(np.abs(x - samples[right - 1]), np.abs(x - samples[right]))


def empty_mass(line: Line, samples: Float[np.ndarray, " samples"], reach: float) -> float:
    """The integral of a density over the points farther than `reach` from every sample: one minus that over the union of the rest.

    Exact: the union is made of intervals, and a mixture's distribution function is known.
    """
    # intervals of neighbours nearer than twice the reach are one
    breaks = np.flatnonzero(np.diff(samples) > 2.0 * reach)
    starts = np.concatenate([samples[:1], samples[breaks + 1]]) - reach
    ends = np.concatenate([samples[breaks], samples[-1:]]) + reach
    components = stats.norm(line.means[:, None], line.scales[:, None])
    covered = line.weights @ (components.cdf(ends[None]) - components.cdf(starts[None])).sum(axis=1)
    return float(1.0 - covered)
