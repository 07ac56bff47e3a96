"""`VAE`: a variational autoencoder as a scikit-learn estimator."""

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, no_type_check

import equinox as eqx
import numpy as np
from jaxtyping import Int
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from vaelab.config import Config
from vaelab.data.fingerprint import ARRAYS
from vaelab.data.image_spec import ImageSpec
from vaelab.data.image_values import as_images
from vaelab.estimator.arguments import configured, label_numbers, labels_of, whole_number, widths
from vaelab.estimator.checked import ArrayLike
from vaelab.estimator.generating import Generating
from vaelab.estimator.parts import given_parts, kind_of_both, network_values, part_values
from vaelab.estimator.saved import OwnPrior, load_estimator, save_estimator, trained_model
from vaelab.estimator.scoring import Scoring
from vaelab.estimator.views import explore, plot, records_of
from vaelab.estimator.warm_start import check_same_labels, goes_on, with_its_model
from vaelab.fitting import fit_prior
from vaelab.kinds import LIKELIHOODS
from vaelab.model import Model
from vaelab.prior_file import TRAINED
from vaelab.run_data import RunData
from vaelab.runs import Run
from vaelab.training import TrainingData, train
from vaelab.training.beginning import begin, resolve
from vaelab.training.defaults import usual_likelihood
from vaelab.training.snapshots import Snapshot
from vaelab.training.tensorboard import tensorboard_events

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUTO = "auto"


class VAE(Generating, Scoring):
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
            `"discretised-logistic"`, `"logistic-mixture"`, `"categorical"`. `"auto"`: `"discretised-logistic"` of photographs in colour,
            (n, H, W, 3) of uint8, else `"bernoulli"`.
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
        likelihood: Any = "auto",
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
        asked = self._config(seed, X_val is not None, usual_likelihood(images))
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

    def fit_transform(self, X: ArrayLike, y: Any = None, **fit_params: Any) -> Any:
        """`fit(X, y)`, then the posterior means of the same images, with `condition="labels"` given their labels."""
        fitted = self.fit(X, y, **fit_params)
        return fitted.transform(X, y) if fitted.model_.is_conditional else fitted.transform(X)

    @contextmanager
    def _told(self, tensorboard: str | Path | None) -> Iterator[list[Callable[[dict[str, Any]], None]]]:
        """Who is told of each epoch."""
        listeners = [_print_epoch] if self.verbose else []
        if tensorboard is None:
            yield listeners
            return
        with tensorboard_events(tensorboard) as on_epoch:
            yield [*listeners, on_epoch]

    def _config(self, seed: int, validated: bool, usual: str | None = None) -> Config:
        """`usual`: the likelihood of images such as are fitted, where it is "auto"; None: the configuration's own."""
        parts = self._parts()
        if self._chooses_likelihood():
            parts["likelihood"] = usual or LIKELIHOODS.names[0]
        return configured(self._values(seed, parts, validated=validated), self.settings).with_parts(given_parts(parts))

    def _chooses_likelihood(self) -> bool:
        return isinstance(self.likelihood, str) and self.likelihood == AUTO

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

    def _values(self, seed: int, parts: dict[str, Any], *, validated: bool) -> dict[str, Any]:
        """What the parameters say of the configuration, but for `settings`; `parts` what they say of its parts."""
        layers = widths(self.hidden)
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
