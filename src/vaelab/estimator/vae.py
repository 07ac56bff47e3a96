"""`VAE`: a variational autoencoder as a scikit-learn estimator."""

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, no_type_check

import equinox as eqx
import jax.random as jr
import numpy as np
from jaxtyping import Float, Int, Shaped
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from vaelab.config import Config
from vaelab.data.fingerprint import ARRAYS
from vaelab.data.image_spec import ImageSpec
from vaelab.data.image_values import as_images
from vaelab.errors import VaelabError
from vaelab.estimator.arguments import configured, label_number, label_numbers, labels_of, whole_number, widths
from vaelab.estimator.by_label import bounds_given, elbo_given, scores_of_labels
from vaelab.estimator.parts import given_parts, kind_of_both, network_values, part_values
from vaelab.estimator.possible import denoised, inpainted
from vaelab.estimator.saved import OwnPrior, load_estimator, save_estimator, trained_model
from vaelab.estimator.views import explore, fitted_data, plot, records_of
from vaelab.estimator.warm_start import check_same_labels, goes_on, with_its_model
from vaelab.evaluation.elbo import ElboParts, elbo_of
from vaelab.evaluation.evaluation import Evaluation, evaluate
from vaelab.evaluation.likelihood import importance_weighted_bound, proposal_widths
from vaelab.evaluation.numbers import Condition
from vaelab.evaluation.row_numbers import row_numbers
from vaelab.fitting import fit_prior
from vaelab.generating import check_latents, decode, encode, path_between
from vaelab.generating.inpainting import Possible
from vaelab.generating.sampling import check_label, sampled
from vaelab.labels import check_conditional
from vaelab.language import translated
from vaelab.model import Model
from vaelab.prior_file import TRAINED
from vaelab.run_data import RunData, TrainingDataError
from vaelab.runs import Run
from vaelab.training import TrainingData, train
from vaelab.training.beginning import begin, resolve
from vaelab.training.snapshots import Snapshot
from vaelab.training.tensorboard import tensorboard_events

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Images = Shaped[np.ndarray, "n ..."]

ArrayLike = Any
"""What scikit-learn makes an array of: arrays, lists, data frames."""


def _sees_labels(vae: "VAE") -> bool:
    """Whether it tells labels: a pipeline looks whether `predict` is there.

    Raises:
        VaelabError: how to have one that does, which Python shows beside the attribute that is missing.
    """
    if vae.condition != "labels":
        raise VaelabError(
            translated("y: this model sees no labels; train one that does: VAE(condition='labels').fit(X, y)")
        )
    return True


class VAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A variational autoencoder with scikit-learn's interface.

    Images are (n, features), (n, H, W) or (n, H, W, C), uint8 in [0, 255] or floating-point; what comes back is of the same kind.
    Floats lie in [0, 1], or anywhere for `likelihood="gaussian"`. Truth values are black and white, other integers of 0 to 255 are
    taken for uint8, which the logger `vaelab` says (docs/data.md); arrays given after `fit` are read by the rule that was applied there.

    Args:
        latent_dim: dimensions of the latent space.
        hidden: widths of the encoder's hidden layers (a number for one); the decoder's are reversed.
        network: `"mlp"`, `"convolutional"` or `"residual"`: the kind of both networks where `encoder` and `decoder` say nothing. The latter
            two are for images (n, H, W) or (n, H, W, C), as deep as their size asks for; `hidden` is the perceptron's.
        prior: `"normal"`, `"mixture"`, `"vamp"`, `"flow"` or `"class"` (which needs labels `y`).
        likelihood: `"bernoulli"`, `"continuous-bernoulli"`, `"gaussian"`, `"laplace"`; over the 256 levels of uint8
            `"discretised-logistic"` (for photographs in colour), `"logistic-mixture"`, `"categorical"`.
        encoder, decoder, posterior, objective: likewise. Each of the six takes the name of a kind, its settings
            (`{"kind": "mlp", "hidden": (64,)}`), or the part itself, as a factory `(shape, key) -> module` (`vaelab.estimator.parts`).
        condition: `"labels"`: encoder, decoder and prior see the labels `y`, and images of a label can be asked for; or `"none"`.
        deterministic: no spread and no prior: a plain autoencoder.
        activation: `"relu"`, `"tanh"` or `"gated"`.
        pixels: as the model sees them, `"grey"` or `"dynamic"` (binarised afresh each time in training).
        beta: the weight of the KL term.
        warmup: how long beta rises from 0: a share of training, or `"5 epochs"`, or `"2000 steps"`.
        epochs, batch_size, learning_rate, optimiser: of training; the optimiser by its name in optax. A batch is at most all images.
        settings: any other keys of the configuration, `{"training.averaging": 0.999}`.
        snapshots: keep at most so many looks at the training on its way, for the explorer's replay.
        warm_start: a second `fit` goes on from the weights that are there, with the optimiser begun anew.
        verbose: print a line an epoch.
        random_state: a seed, a `numpy.random.RandomState`, or None for a fresh one.

    Attributes:
        model_: the trained `vaelab.model.Model`, with its parts `encoder`, `decoder` and `prior`.
        history_: as Keras's `History.history`: a list for each of `loss`, `reconstruction`, `kl`, ..., `val_loss`, ...
        config_: the whole configuration of the training.
        image_shape_, n_features_in_, n_iter_: the shape of one image, the size of its first axis, the epochs done.

    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().images / 16
    >>> vae = VAE(latent_dim=2, hidden=(32,), epochs=2, random_state=0).fit(X)
    >>> vae.transform(X).shape, vae.sample(3).shape
    ((1797, 2), (3, 8, 8))
    """

    @no_type_check  # scikit-learn's rule: the constructor stores what it is given, and `fit` checks it
    def __init__(
        self,
        latent_dim: int = 2,
        hidden: Sequence[int] = (256,),
        *,
        network: str = "mlp",
        prior: Any = "normal",
        likelihood: Any = "bernoulli",
        encoder: Any = None,
        decoder: Any = None,
        posterior: Any = None,
        objective: Any = None,
        condition: str = "none",
        deterministic: bool = False,
        activation: str = "relu",
        pixels: str = "grey",
        beta: float = 1.0,
        warmup: float | str = 0.0,
        epochs: int = 20,
        batch_size: int = 100,
        learning_rate: float = 1e-3,
        optimiser: str = "adam",
        settings: dict[str, Any] | None = None,
        snapshots: int = 0,
        warm_start: bool = False,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.network = network
        self.prior = prior
        self.likelihood = likelihood
        self.encoder = encoder
        self.decoder = decoder
        self.posterior = posterior
        self.objective = objective
        self.condition = condition
        self.deterministic = deterministic
        self.activation = activation
        self.pixels = pixels
        self.beta = beta
        self.warmup = warmup
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimiser = optimiser
        self.settings = settings
        self.snapshots = snapshots
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    # --- training -------------------------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: Any = None,
        tensorboard: str | Path | None = None,
    ) -> "VAE":
        """Train on images X; `y` are their labels, at which `condition="labels"` and a class prior look. `X_val` are scored after each
        epoch, with `condition="labels"` given their labels `y_val`.

        Labels are whole numbers (floats that are such, too), booleans or text; other numbers are passed over, as a pipeline hands
        on what it regresses on. TensorBoard's events go into the folder `tensorboard` (an argument of `fit`, as every fit of a search
        would write into the one of a constructor).

        With `warm_start` a second fit goes on: X are read as those of the first, its epochs are counted and `history_` is continued, a
        fitted prior gives way to the trained one; optimiser and warm-up begin anew.

        Raises:
            VaelabError: (a ValueError) for data that the likelihood cannot score, settings out of range, a model that a warm start
                cannot go on with, and TensorBoard's package that is not there.
        """
        warm = goes_on(self)
        X = self._array(X, fitting=True)
        images = self.model_.image_spec.taken(X, "X") if warm else as_images(X, "X")
        labels = self._checked_labels(y, images, warm=warm)
        # a whole number is the seed itself: a loaded run's random state trains its weights again
        drawn = int(check_random_state(self.random_state).randint(2**31))
        seed = int(self.random_state) if isinstance(self.random_state, numbers.Integral) else drawn
        asked = self._config(seed, X_val is not None)
        likelihood = asked.model.likelihood
        spec = self.model_.image_spec if warm else ImageSpec.of_training(images, likelihood, "X")
        held_out = None if X_val is None else spec.taken(self._array(X_val, name="X_val"), "X_val")
        held_out_labels = None
        if held_out is not None and y_val is not None and labels is not None:
            held_out_labels = label_numbers(y_val, self._names(), len(held_out), name="y_val", images="X_val")
        data = TrainingData(images, labels, held_out, held_out_labels)
        config = resolve(with_its_model(self, asked) if warm else asked, data)
        begun = begin(config, data, trained_model(self) if warm else None)
        before = records_of(self.history_) if warm else []
        with self._told(tensorboard) as listeners:

            def on_epoch(report: dict[str, Any]) -> None:
                for listener in listeners:
                    listener({**report, "epoch": len(before) + report["epoch"]})

            taken: list[Snapshot] = []
            result = train(config, data, begun=begun, on_epoch=on_epoch, on_snapshot=taken.append)
        history = [{**report, "epoch": len(before) + report["epoch"]} for report in result.history]
        self.config_ = config
        self._learnt(result.model, before + history, images.dtype)
        self._asked = asked.model
        self._snapshots = [replace(one, epoch=len(before) + one.epoch) for one in taken]
        self._training: TrainingData | None = data
        self._shown: RunData | None = None
        self._origin: Run | None = None
        return self

    @contextmanager
    def _told(self, tensorboard: str | Path | None) -> Iterator[list[Callable[[dict[str, Any]], None]]]:
        """Who is told of each epoch."""
        listeners = [_print_epoch] if self.verbose else []
        if tensorboard is None:
            yield listeners
            return
        with tensorboard_events(tensorboard) as on_epoch:
            yield [*listeners, on_epoch]

    def _config(self, seed: int, validated: bool) -> Config:
        return configured(self._values(seed, validated=validated), self.settings).with_parts(given_parts(self._parts()))

    def _parts(self) -> dict[str, Any]:
        posterior = "deterministic" if self.deterministic and self.posterior is None else self.posterior
        network = kind_of_both(self.network)
        return {
            "encoder": network if self.encoder is None else self.encoder,
            "decoder": network if self.decoder is None else self.decoder,
            "posterior": posterior,
            "likelihood": self.likelihood,
            "prior": self.prior,
            "objective": self.objective,
        }

    def _values(self, seed: int, *, validated: bool) -> dict[str, Any]:
        """What the parameters say of the configuration, but for `settings`."""
        layers, parts = widths(self.hidden), self._parts()
        return {
            "seed": seed,
            "data.name": ARRAYS,
            "data.pixels": self.pixels,
            "data.validation": "held-out" if validated else "none",
            "model.latent_dim": self.latent_dim,
            "model.condition": self.condition,
            **network_values("encoder", parts["encoder"], layers, self.activation),
            **network_values("decoder", parts["decoder"], layers[::-1], self.activation),
            **dict(part_values(parts)),
            "objective.beta": self.beta,
            "objective.warmup": self.warmup,
            "training.epochs": self.epochs,
            "training.batch_size": whole_number(self.batch_size, "batch_size"),
            "training.learning_rate": self.learning_rate,
            "training.optimiser": self.optimiser,
            "training.snapshots": self.snapshots,
        }

    def _learnt(self, model: Model, history: list[dict[str, Any]], kind: np.dtype) -> None:
        self.model_ = model
        self.prior_name_, self._own_prior = TRAINED, None
        self.image_shape_ = model.image_shape
        named = [name for name in (history[0] if history else {}) if all(name in report for report in history)]
        self.history_ = {name: [report[name] for report in history] for name in named}
        self.n_iter_ = len(history)
        # the model knows it, but for one of an early version
        self._kind = np.dtype(
            kind if model.values is None else "float32" if model.values.kind == "float32" else "uint8"
        )
        self._n_features_out = model.latent_dim

    # --- images to latents and back -------------------------------------------------------------------------------------------------

    def transform(self, X: ArrayLike, y: Any = None) -> Float[np.ndarray, "n latent"]:
        """The posterior means: the same at every call, and never a draw. With `condition="labels"` given labels y, one for each or one for
        all; where none are known, `transform(X, vae.predict(X))`.

        Raises:
            VaelabError: for images that the model does not take, and with `condition="labels"` without labels or with one that training
                never saw; for labels given to any other model.
        """
        images, kind = self._seen(X)
        return encode(self.model_, images, self._given(y, len(images))).mean.astype(kind)

    def fit_transform(self, X: ArrayLike, y: Any = None, **fit_params: Any) -> Any:
        """`fit(X, y)`, then the posterior means of the same images, with `condition="labels"` given their labels."""
        fitted = self.fit(X, y, **fit_params)
        return fitted.transform(X, y) if fitted.model_.is_conditional else fitted.transform(X)

    def posterior_of(
        self, X: ArrayLike, y: Any = None
    ) -> tuple[Float[np.ndarray, "n latent"], Float[np.ndarray, "n latent"]]:
        """The mean and the standard deviation of q(z|x) for each row; zero deviations for an autoencoder. Labels y as in `transform`."""
        images, kind = self._seen(X)
        encoded = encode(self.model_, images, self._given(y, len(images)))
        if encoded.log_variance is None:
            return encoded.mean.astype(kind), np.zeros_like(encoded.mean, kind)
        return encoded.mean.astype(kind), np.exp(0.5 * encoded.log_variance).astype(kind)

    def inverse_transform(self, Z: ArrayLike, y: Any = None) -> Images:
        """The mean image of p(x|z) for each row of latents, of the kind that was fitted (uint8 if that was). Labels y as in `transform`."""
        check_is_fitted(self)
        z = np.asarray(Z)
        check_latents(self.model_, z, "Z")
        return self._as_fitted(decode(self.model_, z, self._given(y, len(z))))

    def reconstruct(self, X: ArrayLike, y: Any = None, *, as_label: Any = None) -> Images:
        """Each image through its posterior mean and back. With `condition="labels"` given labels y, as in `transform`; `as_label`
        decodes the same latents as another label.
        """
        if as_label is not None:
            check_is_fitted(self)
            check_conditional(self.model_)
        return self.inverse_transform(self.transform(X, y), y if as_label is None else as_label)

    def interpolate(
        self, first: ArrayLike, last: ArrayLike, y: Any = None, *, steps: SupportsIndex = 12, spherical: bool = False
    ) -> Images:
        """`steps` images on the way between two, decoded from the points between their posterior means. With `condition="labels"` within
        the label y, given which both are encoded.

        Raises:
            VaelabError: as `transform`, and for fewer than two steps.
        """
        ends = np.stack([np.asarray(first), np.asarray(last)])
        a, b = self.transform(ends, y)
        return self.inverse_transform(path_between(a, b, steps=whole_number(steps, "steps"), spherical=spherical), y)

    def sample(
        self,
        n_samples: SupportsIndex = 1,
        *,
        y: Any = None,
        balanced: bool = False,
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> Images:
        """`n_samples` images: z drawn from the prior, decoded to their means. With `condition="labels"`, or under a class prior, of the
        label y; `y` may also be one label for each. Without, labels are as frequent as in training, or `balanced`, each equally often.

        Raises:
            VaelabError: for an autoencoder, which has no prior, and a label that the prior does not know.
        """
        check_is_fitted(self)
        seed = int(check_random_state(random_state).randint(2**31))
        count = whole_number(n_samples, "n_samples")
        if y is not None and np.ndim(y) > 0:
            return self._of_labels(label_numbers(y, self._names(), count), seed, temperature)
        label = None if y is None else self._label_number(y)
        drawn = sampled(self.model_, count, seed=seed, label=label, balanced=balanced, temperature=temperature)
        return self._as_fitted(decode(self.model_, drawn.z, drawn.labels if self.model_.is_conditional else None))

    def _of_labels(self, labels: Int[np.ndarray, " n"], seed: int, temperature: float) -> Images:
        """One image of each of these labels, draw i as `sample` makes it."""
        z = np.empty((len(labels), self.model_.latent_dim), np.float32)
        for label in np.unique(labels).tolist():
            check_label(self.model_, label, self._names())
            own = labels == label
            z[own] = sampled(self.model_, len(labels), seed=seed, label=label, temperature=temperature).z[own]
        return self._as_fitted(decode(self.model_, z, labels if self.model_.is_conditional else None))

    def inpaint(
        self, X: ArrayLike, hidden: ArrayLike, y: Any = None, *, draws: SupportsIndex = 5, random_state: Any = None
    ) -> Possible:
        """What each image may have been where `hidden` is True ((height, width), or of an image's shape): `draws` pictures an image, with
        their z, how many are distinct in origin, and log p(visible pixels). Labels y as in `transform`.

        Raises:
            VaelabError: for a mask of another shape, or that hides everything or nothing; for an autoencoder without a fitted prior.
        """
        check_is_fitted(self)
        return inpainted(self, X, hidden, y, draws, int(check_random_state(random_state).randint(2**31)))

    def denoise(
        self, X: ArrayLike, sigma: float, y: Any = None, *, draws: SupportsIndex = 5, random_state: Any = None
    ) -> Possible:
        """What each image may have been before Gaussian noise of standard deviation `sigma` was added, in units of the pixels as the model
        sees them (0 to 1 for uint8): as `inpaint`.

        Raises:
            VaelabError: for a sigma that is not positive, and an autoencoder without a fitted prior.
        """
        check_is_fitted(self)
        return denoised(self, X, sigma, y, draws, int(check_random_state(random_state).randint(2**31)))

    # --- scores ---------------------------------------------------------------------------------------------------------------------

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

    def fit_prior(
        self, kind: str, *, by_class: bool = False, components: SupportsIndex | None = None, seed: SupportsIndex = 0
    ) -> "VAE":
        """Put a prior in place that is fitted to the training images' latents: mixture, kde, flow or second-stage.

        `sample` and every score use it from then on. An autoencoder gets a prior to sample from.

        Raises:
            VaelabError: for an unknown kind, and `by_class` without labels.
        """
        images, labels = self._training_data()
        fitted = fit_prior(
            self.model_, images, kind, labels=labels, by_class=by_class,
            components=None if components is None else whole_number(components, "components"),
            pixels=self.config_.data.pixels, seed=whole_number(seed, "seed", at_least=0), label_names=self._names(),
        )  # fmt: skip
        self._own_prior = OwnPrior(trained_model(self).prior, fitted.facts())
        self.model_ = eqx.tree_at(lambda model: model.prior, self.model_, fitted.prior)
        self.prior_name_ = kind
        return self

    # --- looking --------------------------------------------------------------------------------------------------------------------

    def plot(
        self, name: str = "latent", X: ArrayLike | None = None, y: Any = None, *, style: str = "vaelab"
    ) -> "Figure":
        """A figure, by its name in `vaelab.plotting.figure_names()`: loss, latent, manifold, traversals, reconstructions, samples, ...

        It shows images X with labels y; without any those held out of training by `X_val`, else the training images; of a loaded run
        its test images, of a saved estimator the sample that it keeps. A matplotlib Figure, which shows itself where a notebook's cell
        ends in it; `savefig` writes it. `style="tutorial"` draws scatter and grid as the Keras tutorial does.

        Raises:
            VaelabError: for an unknown name or style, a figure that this model cannot have, and where there are no images to show.
        """
        check_is_fitted(self)
        return plot(self, name, X, y, style)

    def explore(self, X: ArrayLike | None = None, y: Any = None, **options: Any) -> Any:
        """The explorer of the latent space as a notebook widget, on images X with labels y; without any, on 2,000 of what `plot` shows.

        With `condition="labels"` the page decodes and draws as the label `label=`, by default the first, and images are encoded given y.

        With `snapshots` it replays the training, on the images that it was fitted on. Where none are to be had, the map shows 2,000
        draws from the model.

        Raises:
            VaelabError: where anywidget is not installed (`pip install 'vaelab[notebook]'`), and for images that the model cannot take.
        """
        check_is_fitted(self)
        return explore(self, X, y, options)

    # --- keeping --------------------------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path, *, images: SupportsIndex = 2000) -> Path:
        """Write a run folder, as `vaelab train` does: every command takes it, and `vaelab.load` brings back what is here now.

        A prior of `fit_prior` lies in it under its kind, as `vaelab fit-prior` leaves it: `--prior mixture` means it. So that figures,
        explorer and diagnosis have images to show, the folder keeps at most so many `images` of the training and as many of the
        validation arrays, a random choice by a fixed seed; `images=0` keeps none.

        Raises:
            VaelabError: where something is there already, or a parameter cannot be written to a file.
        """
        check_is_fitted(self)
        return save_estimator(self, Path(folder), images).folder

    @classmethod
    def from_run(cls, run: Run, *, prior: str | None = None, training_data: str | Path | None = None) -> "VAE":
        """The estimator of a trained run, as `load`."""
        return load_estimator(cls, run, prior, None if training_data is None else str(training_data))

    # --- checks ---------------------------------------------------------------------------------------------------------------------

    def _array(self, X: Any, *, fitting: bool = False, name: str = "X") -> np.ndarray:
        """X as a numpy array of numbers; scikit-learn's own words for what it cannot be, in one line."""
        checks: dict[str, Any] = {"dtype": "numeric", "allow_nd": True, "ensure_all_finite": False}
        try:
            # flat rows are scikit-learn's: it counts their features, and names them
            if fitting or (name == "X" and len(self.image_shape_) == 1):
                found: Any = validate_data(self, X, reset=fitting, ensure_min_samples=2 if fitting else 1, **checks)
            else:
                found = check_array(X, estimator=self, input_name=name, **checks)
            return found
        except ValueError as error:
            first, *more = str(error).splitlines()  # the others show the array
            told = f"{name}: {first.rstrip(':')}" if more else str(error)
            if more and "Expected" in first:
                told = translated(
                    "{told}. Reshape your data: images are (n, features), (n, H, W) or (n, H, W, C)", told=told
                )
            raise VaelabError(told) from None

    def _training_data(self) -> tuple[np.ndarray, np.ndarray | None]:
        """What was fitted; for a loaded run its data set, read again, or the sample that it keeps."""
        check_is_fitted(self)
        found = getattr(self, "_training", None)
        if found is None:
            assert self._origin is not None
            dataset = fitted_data(self).dataset
            found = self._training = TrainingData.from_dataset(dataset, self.config_.data)
        return found.images, found.labels

    def _seen(self, X: Any) -> tuple[np.ndarray, np.dtype]:
        """X checked against what was fitted, and the floating-point type that answers have."""
        check_is_fitted(self)
        given = getattr(X, "dtype", None)
        images = self.model_.image_spec.taken(self._array(X), "X")
        return images, np.dtype(np.float64) if given == np.float64 else np.dtype(np.float32)

    def _checked_labels(self, y: Any, images: np.ndarray, *, warm: bool) -> Int[np.ndarray, " n"] | None:
        found = labels_of(y, images, needed=self._needs_labels())
        if warm and found is not None:
            check_same_labels(self, found[0])
        self.__dict__.pop("label_names_", None)  # of an earlier fit
        if found is None:
            return None
        self.label_names_, numbers = found
        return numbers

    def _needs_labels(self) -> bool:
        asked = self._config(0, False)
        return asked.model.prior.needs_labels or asked.model.is_conditional or asked.data.balance

    def _given(self, y: Any, count: int) -> Int[np.ndarray, " n"] | int | None:
        """Labels of images or latents by their numbers: one for each, or one for all.

        Raises:
            VaelabError: where the model sees labels and there are none, or it sees none and there are some; for one that it does not know.
        """
        if y is None:
            if self.model_.is_conditional:
                raise VaelabError(
                    translated(
                        "y: this model sees labels (condition='labels'), and images are encoded and decoded given theirs; where none "
                        "are known, give y=vae.predict(X)"
                    )
                )
            return None
        check_conditional(self.model_)
        if np.ndim(y) == 0:
            return self._label_number(y)
        numbers = label_numbers(y, self._names(), count)
        for label in np.unique(numbers).tolist():
            check_label(self.model_, label, self._names())
        return numbers

    def _names(self) -> tuple[str, ...] | None:
        names = getattr(self, "label_names_", None)
        return None if names is None else tuple(map(str, names.tolist()))

    def _label_number(self, y: Any) -> int:
        names = self._names()
        number = label_number(y, names)
        check_label(self.model_, number, names)
        return number

    def _as_fitted(self, images: Float[np.ndarray, "n ..."]) -> Images:
        """Model images as the kind that was fitted: uint8 for uint8."""
        if self._kind == np.uint8:
            return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)
        return images

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def load(
    run: str | Path,
    *,
    prior: str | None = None,
    training_data: str | Path | None = None,
    parts: Mapping[str, Any] | None = None,
) -> VAE:
    """The estimator of a run folder, or of `pretrained:tutorial`, as it was saved.

    `prior`: `"trained"`, or the name or file of one fitted to it; by default the one that was in place. `training_data`: where the data
    that it was trained on are now, a name or a path; they are held against the run's fingerprint of them. `parts`: those of its parts that
    were given in Python, `{"encoder": factory}`, for no file holds them.

    Raises:
        VaelabError: where there is no such run, its files are damaged, or `training_data` are others.
    """
    return VAE.from_run(Run.open(run).with_parts(parts or {}), prior=prior, training_data=training_data)


def _print_epoch(report: dict[str, Any]) -> None:
    words = [f"{name} {report[name]:.2f}" for name in ("loss", "reconstruction", "kl", "val_loss") if name in report]
    print(f"epoch {report['epoch']}  {'  '.join(words)}")  # noqa: T201
