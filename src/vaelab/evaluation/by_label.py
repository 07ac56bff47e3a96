"""log p(x|y) of a conditional model, log p(x) = log sum_y p(y) p(x|y), and p(y|x) ∝ p(y) p(x|y).

p(x|y) is the likelihood of the model given y, which is a model like any other: by quadrature in one and two dimensions, by importance
samples otherwise. p(y) are the frequencies of the labels among the training images, which the model keeps. A label that it was not
trained with has p(y) = 0.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Int, Integer, Num, PRNGKeyArray
from scipy.special import logsumexp

from vaelab.evaluation.inputs import check_has_density, why_no_quadrature
from vaelab.evaluation.likelihood import ImportanceEstimates, importance_weighted_bound, proposal_widths
from vaelab.evaluation.quadrature import TOLERANCE, ExactLikelihood, exact_log_probs
from vaelab.labels import check_conditional, labels_given
from vaelab.language import translated
from vaelab.model import Model

Progress = Callable[[int, int], None]
Found = TypeVar("Found")

LOOSE = 1.0
"""Nats that quadrature's sums may differ by at first, for every label; of those that matter they are made to agree as elsewhere."""
NEGLIGIBLE = 16.0
"""So many nats below the likeliest label, beyond what its sums may be off, a label changes log p(x) by less than 1e-6 nats."""


def exact_given(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    labels: Int[np.ndarray, " images"],
    *,
    tolerance: float = TOLERANCE,
    on_progress: Progress = lambda done, total: None,
) -> ExactLikelihood:
    """log p(x|y) and the ELBO of each image given its label, by quadrature.

    **Raises:** as `exact_log_probs`, and for a label that the model was not trained with.
    """
    labels_given(model, labels, len(images))

    def of(one: Model, chosen: Integer[np.ndarray, " chosen"], told: Progress) -> ExactLikelihood:
        return exact_log_probs(one, one.prior_density(), images[chosen], tolerance=tolerance, on_progress=told)

    found = of_each_label(model, labels, of, on_progress)
    lattices = list(found.values())
    parts = {
        name: joined(found, labels, lambda part, name=name: getattr(part, name))
        for name in (
            "log_prob", "error", "elbo", "elbo_error", "reconstruction", "expected_log_prior", "settled", "own",
        )
    }  # fmt: skip
    return ExactLikelihood(
        **parts,
        low=np.min([part.low for part in lattices], axis=0),
        high=np.max([part.high for part in lattices], axis=0),
        prior_mass=min((part.prior_mass for part in lattices), key=lambda mass: -abs(mass - 1.0)),
    )


def importance_given(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    labels: Int[np.ndarray, " images"],
    *,
    samples: int,
    key: PRNGKeyArray,
    widths: tuple[float, ...],
    on_progress: Progress = lambda done, total: None,
) -> ImportanceEstimates:
    """The importance-weighted bound on log p(x|y) of each image given its label; image i draws as it does beside any others.

    **Raises:** as `importance_weighted_bound`, and for a label that the model was not trained with.
    """
    labels_given(model, labels, len(images))

    def of(one: Model, chosen: Integer[np.ndarray, " chosen"], told: Progress) -> ImportanceEstimates:
        return importance_weighted_bound(
            one, one.prior_density(), images[chosen], samples=samples, key=key, widths=widths, indices=chosen,
            on_progress=told,
        )  # fmt: skip

    found = of_each_label(model, labels, of, on_progress)
    names = [field.name for field in dataclasses.fields(ImportanceEstimates) if field.name != "samples"]
    return ImportanceEstimates(
        samples, **{name: joined(found, labels, lambda part, name=name: getattr(part, name)) for name in names}
    )


class LogProbsByLabel(NamedTuple):
    """log p(x|y) of each image under each label, in nats, and log p(y); `error`: by how much a sum of quadrature may be off."""

    each: Float[np.ndarray, "images classes"]  # -inf for a label that the model was not trained with
    error: Float[np.ndarray, "images classes"] | None  # None by importance samples
    log_frequencies: Float[np.ndarray, " classes"]

    @property
    def joint(self) -> Float[np.ndarray, "images classes"]:
        """log p(x, y) = log p(y) + log p(x|y)."""
        return self.log_frequencies + self.each

    @property
    def marginal(self) -> Float[np.ndarray, " images"]:
        """log p(x) = logsumexp_y [log p(y) + log p(x|y)]."""
        return np.asarray(logsumexp(self.joint, axis=1))

    @property
    def posterior(self) -> Float[np.ndarray, "images classes"]:
        """p(y|x) = p(y) p(x|y) / p(x), each row of sum 1."""
        return np.exp(self.joint - self.marginal[:, None])

    def given(self, labels: Int[np.ndarray, " images"]) -> Float[np.ndarray, " images"]:
        """log p(x|y) of each image under its own label."""
        return self.each[np.arange(len(labels)), labels]


def log_probs_by_label(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    *,
    samples: int | None = None,
    key: PRNGKeyArray | None = None,
    indices: Integer[np.ndarray, " images"] | None = None,
    tolerance: float = TOLERANCE,
    on_progress: Progress = lambda done, total: None,
) -> LogProbsByLabel:
    """log p(x|y) of each image for every label of a conditional model: by quadrature, or with `samples` by importance sampling by `key`.

    Quadrature settles to its `tolerance` (nats) only where a label has a part in log p(x) (`NEGLIGIBLE`); `error` says how far.

    **Raises:** `VaelabError` for a model that sees no labels, an autoencoder, images that it cannot score, and quadrature in three
    dimensions and more.
    """
    check_conditional(model)
    check_has_density(model, translated("log p(x), marginal over labels"))
    assert model.log_frequencies is not None
    log_frequencies = np.asarray(model.log_frequencies, np.float64)
    each = np.full((len(images), len(log_frequencies)), -np.inf)
    error = np.zeros_like(each) if samples is None else None
    known = model.labels
    for place, label in enumerate(known):
        one = model.given(label)
        prior = one.prior_density()

        def told(done: int, total: int, place: int = place) -> None:
            on_progress(place * total + done, (len(known) + 1) * total)

        if error is None:
            assert samples is not None
            assert key is not None
            each[:, label] = importance_weighted_bound(
                one, prior, images, samples=samples, key=key, widths=proposal_widths(one.latent_dim), indices=indices,
                on_progress=told,
            ).log_prob  # fmt: skip
        else:
            found = exact_log_probs(one, prior, images, tolerance=LOOSE, on_progress=told)
            each[:, label], error[:, label] = found.log_prob, found.error
    if error is not None:
        joint = log_frequencies + each
        matters = joint + error >= (joint - error).max(axis=1, keepdims=True) - NEGLIGIBLE
        for label in known:
            left = np.flatnonzero(matters[:, label])
            if len(left):
                one = model.given(label)
                found = exact_log_probs(one, one.prior_density(), images[left], tolerance=tolerance)
                each[left, label], error[left, label] = found.log_prob, found.error
    on_progress(1, 1)
    return LogProbsByLabel(each, error, log_frequencies)


def quadrature_serves(model: Model) -> bool:
    """Whether log p(x|y) can be integrated, in the latent space that all labels share."""
    return why_no_quadrature(model.of_any_label()) is None and model.prior.scoring != "bound"


def of_each_label(
    model: Model,
    labels: Int[np.ndarray, " images"],
    of: Callable[[Model, Integer[np.ndarray, " chosen"], Progress], Found],
    on_progress: Progress,
) -> dict[int, Found]:
    """What is found of the images of each label under the model given it."""
    found: dict[int, Found] = {}
    before = 0
    for label in np.unique(labels).tolist():
        chosen = np.flatnonzero(labels == label)

        def told(done: int, total: int, before: int = before, count: int = len(chosen)) -> None:
            on_progress(before + done * count // max(total, 1), len(labels))

        found[label] = of(model.given(label), chosen, told)
        before += len(chosen)
    return found


def joined(
    found: dict[int, Found], labels: Int[np.ndarray, " images"], values_of: Callable[[Found], np.ndarray]
) -> np.ndarray:
    """The values of all labels' images, in the order of the images."""
    first = values_of(next(iter(found.values())))
    values = np.empty((len(labels), *first.shape[1:]), first.dtype)
    for label, part in found.items():
        values[labels == label] = values_of(part)
    return values
