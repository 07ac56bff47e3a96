"""What the estimator says of images: how likely they are, which label they have, and all that is measured."""

from typing import Any, SupportsIndex

import jax.random as jr
import numpy as np
from jaxtyping import Float
from sklearn.utils.metaestimators import available_if

from vaelab.errors import VaelabError
from vaelab.estimator.arguments import label_numbers, whole_number
from vaelab.estimator.by_label import bounds_given, elbo_given, scores_of_labels
from vaelab.estimator.checked import ArrayLike, Checked
from vaelab.evaluation.elbo import ElboParts, elbo_of
from vaelab.evaluation.evaluation import Evaluation, evaluate
from vaelab.evaluation.likelihood import importance_weighted_bound, proposal_widths
from vaelab.evaluation.numbers import Condition
from vaelab.evaluation.row_numbers import row_numbers
from vaelab.language import translated
from vaelab.run_data import TrainingDataError


def _sees_labels(vae: Any) -> bool:
    """Whether it tells labels: a pipeline looks whether `predict` is there.

    Raises:
        VaelabError: how to have one that does, which Python shows beside the attribute that is missing.
    """
    if vae.condition != "labels":
        raise VaelabError(
            translated("y: this model sees no labels; train one that does: VAE(condition='labels').fit(X, y)")
        )
    return True


class Scoring(Checked):
    """The scores of `VAE`, and the labels that they tell."""

    def score_samples(
        self, X: ArrayLike, y: Any = None, *, importance_samples: SupportsIndex = 100
    ) -> Float[np.ndarray, " n"]:
        """The importance-weighted lower bound on log p(x) of each row, in nats: higher is better.

        With `condition="labels"` the marginal over labels, log sum_y p(y) p(x|y), p(y) being their frequencies in training; with labels
        y, one for each or one for all, of log p(x|y).

        The noise of a row is keyed on its pixels, so a subset of rows gets the same scores, and errors average out over rows. On grey
        pixels under a Bernoulli likelihood it is no log-likelihood, but ranks images by how well the model accounts for them.

        It is no anomaly detector: log p(x) favours simple images. On MNIST blank ones score better than digits (AUROC of spotting them
        by a low score 0.14 in two dimensions, 0.000 in 16; digits without their lower half 0.27, faint ones 0.35: worse than chance).

        Raises:
            VaelabError: for an autoencoder, which has no density.
        """
        images, _ = self._seen(X)
        samples = whole_number(importance_samples, "importance_samples")
        if y is not None:
            labels = np.broadcast_to(np.asarray(self._given(y, len(images))), (len(images),))
            return bounds_given(self, images, labels, samples).astype(np.float64)
        if self.model_.is_conditional:
            return scores_of_labels(self, images, samples, exact=False).marginal
        prior = self.model_.prior_density()
        return importance_weighted_bound(
            self.model_, prior, images, samples=samples, key=jr.key(0),
            widths=proposal_widths(self.model_.latent_dim), indices=row_numbers(images),
        ).log_prob.astype(np.float64)  # fmt: skip

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """The mean of `score_samples(X)`: higher is better, as in `GridSearchCV`. It never looks at labels."""
        del y
        return float(self.score_samples(X).mean())

    @available_if(_sees_labels)
    def predict_proba(self, X: ArrayLike) -> Float[np.ndarray, "n classes"]:
        """p(y|x) of each row, proportional to p(y) p(x|y) with p(y) the frequencies in training: a column for each of `label_names_`.

        In one and two dimensions by quadrature, else by 100 importance samples of each label. Whether its shares are to be believed is the
        calibration error of `evaluate`.

        Raises:
            VaelabError: for a model without `condition="labels"`, and an autoencoder.
        """
        images, _ = self._seen(X)
        return scores_of_labels(self, images).posterior

    @available_if(_sees_labels)
    def predict(self, X: ArrayLike) -> np.ndarray:
        """The likeliest label of each row by `predict_proba`, as it was fitted."""
        numbers, names = self.predict_proba(X).argmax(axis=1), getattr(self, "label_names_", None)
        return numbers if names is None else names[numbers]

    def elbo(self, X: ArrayLike, y: Any = None) -> ElboParts:
        """The evidence lower bound of each row and its parts, in nats: by quadrature in one and two dimensions, else over 50 draws of z.

        With `condition="labels"` the bound on log p(x|y), given labels y as in `transform`.

        The same at every call, and for every subset of rows.

        Raises:
            VaelabError: for an autoencoder, which has none.
        """
        images, _ = self._seen(X)
        labels = self._given(y, len(images))
        if labels is None:
            return elbo_of(self.model_, images)
        return elbo_given(self, images, np.broadcast_to(np.asarray(labels), (len(images),)))

    def evaluate(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        importance_samples: SupportsIndex | None = None,
        condition: Condition | None = None,
    ) -> Evaluation:
        """Every number of the model on held-out images X (labels y serve probes of the latents); shows itself in a notebook.

        With `condition="labels"` the images are coded given y, and log p(x) is `condition="marginal"` over labels, or `"given"` them.

        Raises:
            VaelabError: for images that the model cannot score.
        """
        images, _ = self._seen(X)
        reason = None
        try:
            training_images, training_labels = self._training_data()
        except TrainingDataError as error:
            training_images, training_labels, reason = None, None, str(error)
        return evaluate(
            self.model_,
            images,
            training_images,
            labels=None if y is None else label_numbers(y, self._names(), len(images)),
            training_labels=training_labels,
            pixels=self.config_.data.pixels,
            importance_samples=None
            if importance_samples is None
            else whole_number(importance_samples, "importance_samples"),
            prior_name=self.prior_name_,
            untrained_reason=reason,
            condition=condition,
        )
