"""What is measured of a row's model: likelihood, the fit of its prior, samples."""

import dataclasses

import jax.random as jr
import numpy as np
from jaxtyping import Bool, Float, Int, PRNGKeyArray

from vaelab.config import Config
from vaelab.data import Dataset
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.by_label import log_probs_by_label
from vaelab.evaluation.feature_distances import frechet_distance
from vaelab.evaluation.feature_networks import digit_classifier
from vaelab.evaluation.figure import Figure, mean_figure, share_figure
from vaelab.evaluation.likelihood import importance_weighted_bound
from vaelab.evaluation.prior_fit import prior_fit
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.evaluation.reconstruction import sample_means
from vaelab.generating import decode, sampled
from vaelab.generating.sampling import known_labels
from vaelab.model import Model
from vaelab.pixels import seen_once
from vaelab.reproduction.tables import Table
from vaelab.training import TrainingData


@dataclasses.dataclass(frozen=True)
class Judged:
    """Grey training and test images, and both as they are scored: drawn once, the test images alike for every row."""

    training: np.ndarray
    seen_training: np.ndarray
    test: np.ndarray
    seen_test: np.ndarray
    test_labels: Int[np.ndarray, " test"] | None

    @classmethod
    def of(cls, config: Config, dataset: Dataset) -> "Judged":
        training = TrainingData.from_dataset(dataset, config.data).images
        test = dataset.test.images
        pixels, seed = config.data.pixels, config.data.test_seed
        return cls(
            training, seen_once(training, pixels, seed + 1), test, seen_once(test, pixels, seed), dataset.test.labels
        )


def measured(
    table: Table, model: Model, judged: Judged, seed: int
) -> tuple[dict[str, Figure], Float[np.ndarray, " test"] | None]:
    """What the table asks for, and log p(x) of each test image in nats; None for a model or a prior that has none.

    Of a model that sees labels log p(x) is marginal over them, and beside it stands what it is given the image's own.
    """
    key = jr.key(seed)
    figures: dict[str, Figure] = {}
    log_probs = None
    if model.has_density:
        figures, log_probs = (
            _by_label(table, model, judged) if model.is_conditional else _likelihood(table, model, judged, key)
        )
    if model.has_density and not model.is_conditional:
        held_out = AggregatePosterior.of(model, judged.seen_test)
        training = AggregatePosterior.of(model, judged.seen_training)
        fit = prior_fit(model.prior_density().given(None), held_out, training, key=jr.fold_in(key, 1))
        assert fit.hole_fraction is not None  # there are training images
        figures |= {
            "hole_fraction": fit.hole_fraction,
            "uncovered_fraction": fit.uncovered_fraction,
            "marginal_kl": fit.marginal_kl,
        }
    if table.samples:
        network = digit_classifier()
        count = min(table.samples, len(judged.test))
        drawn = sample_means(model, jr.fold_in(key, 2), count)
        figures["frechet_digit_distance"] = frechet_distance(
            network(drawn, "samples"), network(judged.test[:count], "test images"), resamples=20, seed=seed
        )
    if table.asked and known_labels(model) is not None:
        figures["asked_share"] = share_figure(_as_asked(model, table.asked, seed), f"{table.asked:,} draws")
    return figures, log_probs


def _likelihood(
    table: Table, model: Model, judged: Judged, key: PRNGKeyArray
) -> tuple[dict[str, Figure], Float[np.ndarray, " test"] | None]:
    prior = model.prior_density().given(None)
    over = f"{len(judged.test):,} test images"
    if table.importance_samples is None:
        exact = exact_log_probs(model, prior, judged.seen_test)
        error = Figure(float(exact.error.mean()), None, over, len(exact.log_prob))
        figures = {"nll_quadrature": mean_figure(-exact.log_prob, over), "halving_error": error}
        return figures | {"elbo": mean_figure(exact.elbo, over)}, exact.log_prob
    if model.prior.scoring == "quadrature":
        return {}, None
    estimates = importance_weighted_bound(
        model, prior, judged.seen_test, samples=table.importance_samples, key=jr.fold_in(key, 0)
    )
    figures = {"nll_importance": mean_figure(-estimates.log_prob, over), "elbo": mean_figure(estimates.elbo, over)}
    return figures, estimates.log_prob


def _by_label(table: Table, model: Model, judged: Judged) -> tuple[dict[str, Figure], Float[np.ndarray, " test"]]:
    assert table.importance_samples is None
    assert judged.test_labels is not None
    over = f"{len(judged.test):,} test images"
    found = log_probs_by_label(model, judged.seen_test)
    given = found.given(judged.test_labels)
    right = found.posterior.argmax(axis=1) == judged.test_labels
    return {
        "nll_quadrature": mean_figure(-found.marginal, over),
        "nll_given": mean_figure(-given, over),
        "predicted_share": share_figure(right, over),
    }, found.marginal


def _as_asked(model: Model, count: int, seed: int) -> Bool[np.ndarray, " draws"]:
    """Whether decoder means of asked digits, as many of each, are taken for what was asked by the packaged digit classifier."""
    drawn = sampled(model, count, seed=seed, balanced=True)
    images = decode(model, drawn.z, drawn.labels if model.is_conditional else None)
    _, classes = digit_classifier().described(np.clip(images, 0.0, 1.0))
    return classes == drawn.labels
