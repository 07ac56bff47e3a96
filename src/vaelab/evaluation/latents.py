"""What the latents are used for: how many are active, what each costs, and what a simple classifier reads from them."""

import dataclasses
import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from vaelab.densities import AbstractDensity, DiagonalNormal, kl_divergence, standard_normal
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.figure import Figure, counted, share_figure
from vaelab.language import to_translate

ACTIVE_VARIANCE = 0.01
"""Of the posterior mean over images (Burda, Grosse and Salakhutdinov, ICLR 2016, section 4)."""
PROBED = 20_000
NEIGHBOURS = 10


@dataclasses.dataclass(frozen=True)
class LatentUse:
    """- `kl_per_dimension`: nats for each latent dimension, averaged over images
    - `kl_against`: the prior it is measured against; `N(0, I)` where the model's own does not factorise. A posterior that does not
      factorise counts as a Gaussian of its own mean and variance in each dimension
    - `variance_of_means`: of the posterior mean over images, for each dimension
    - `active_units`: how many of these exceed 0.01
    """

    kl_per_dimension: Float[np.ndarray, " latent"]
    kl_against: str
    variance_of_means: Float[np.ndarray, " latent"]
    active_units: int


def latent_use(posteriors: AggregatePosterior, prior: AbstractDensity) -> LatentUse:
    """What each latent dimension costs and carries, over the images of `posteriors`."""
    factorises = isinstance(prior, DiagonalNormal)
    reference = prior if factorises else standard_normal(posteriors.mean.shape[1])
    assert isinstance(reference, DiagonalNormal)
    divergence = per_dimension(posteriors, reference)
    variance = np.asarray(posteriors.mean, np.float64).var(axis=0)
    return LatentUse(
        divergence.mean(axis=0),
        to_translate("the model's prior")
        if factorises
        else to_translate("N(0, I), since the model's prior does not factorise"),
        variance,
        int((variance > ACTIVE_VARIANCE).sum()),
    )


def per_dimension(posteriors: AggregatePosterior, reference: DiagonalNormal) -> Float[np.ndarray, "images latent"]:
    """KL(q(z_d|x_n) || p(z_d)) in nats for each image and dimension."""

    def one(mean: Array, log_variance: Array) -> Array:
        divergence = kl_divergence(DiagonalNormal(mean, log_variance), reference)
        assert divergence is not None
        return divergence

    return np.asarray(jax.vmap(one)(jnp.asarray(posteriors.mean), jnp.asarray(posteriors.log_variance)), np.float64)


def active_units(means: Float[np.ndarray, "images latent"]) -> int:
    """Dimensions whose posterior mean varies over images by more than 0.01 (variance)."""
    return int((np.asarray(means, np.float64).var(axis=0) > ACTIVE_VARIANCE).sum())


@dataclasses.dataclass(frozen=True)
class Probes:
    """Accuracy on held-out images of classifiers that see the posterior means alone; `trained_on` training images at most 20,000."""

    linear: Figure
    nearest_neighbours: Figure
    trained_on: int
    neighbours: int = NEIGHBOURS


def probes(
    training_means: Float[np.ndarray, "training latent"],
    training_labels: Int[np.ndarray, " training"],
    means: Float[np.ndarray, "images latent"],
    labels: Int[np.ndarray, " images"],
) -> Probes | None:
    """A multinomial logistic regression and ten nearest neighbours (or as many as there are images), from standardised means; None where
    all labels are one.

    scikit-learn's, with their usual settings, on the first 20,000 training images.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    x, y = np.asarray(training_means[:PROBED], np.float64), training_labels[:PROBED]
    if len(np.unique(y)) < 2:
        return None
    centre, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    x, held_out = (x - centre) / spread, (np.asarray(means, np.float64) - centre) / spread
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a probe stopped early is still a probe
        linear = LogisticRegression(max_iter=300).fit(x, y)
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(x))).fit(x, y)
    over = counted(len(labels), "held-out image")
    return Probes(
        share_figure(linear.predict(held_out) == labels, over),
        share_figure(neighbours.predict(held_out) == labels, over),
        len(x),
        min(NEIGHBOURS, len(x)),
    )
