"""`VAE.save` and `vaelab.load`: the run folder follows the object.

The model file holds the weights with the prior that was trained with them; a prior fitted afterwards lies beside it, as `vaelab fit-prior`
leaves it. What only an estimator has (its parameters, the labels as they were given) stands in the model file's header.
"""

import dataclasses
import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsIndex

import equinox as eqx
import numpy as np

from vaelab.config import Config
from vaelab.data import Dataset, Fingerprint, Split
from vaelab.errors import VaelabError
from vaelab.estimator.fitted import FittedVAE
from vaelab.estimator.parameters import as_json, from_json
from vaelab.estimator.parts import is_given
from vaelab.foreign import name_of_given
from vaelab.kept_sample import chosen_rows, write_sample
from vaelab.kinds import FOREIGN, NETWORKS, OBJECTIVES, POSTERIORS
from vaelab.language import translated
from vaelab.model import Model
from vaelab.model_file import load_model, model_facts, save_model
from vaelab.prior_file import TRAINED, fingerprint, prior_path, read_prior, save_prior
from vaelab.priors.base import AbstractPrior
from vaelab.run_data import is_of_arrays, run_data
from vaelab.runs import Run
from vaelab.settings import PartSettings
from vaelab.training import TrainingData
from vaelab.training.snapshots import Snapshot, read_snapshots, write_snapshot


@dataclasses.dataclass(frozen=True)
class OwnPrior:
    """The prior that a model was trained with, kept while one fitted afterwards stands in its place; and how that one was fitted."""

    prior: AbstractPrior
    facts: dict[str, Any]


# --- writing ------------------------------------------------------------------------------------------------------------------------


def save_estimator(vae: FittedVAE, folder: Path, images: SupportsIndex) -> Run:
    """Write a fitted estimator and a sample of its data, all of it or nothing.

    Raises:
        VaelabError: where something is there already, or a parameter cannot be written down.
    """
    most = _checked_count(images)
    facts = _facts(vae)
    known, train, validation = _data_of(vae)
    with Run.being_made(folder, vae.config_, known) as run:
        for number in range(vae.n_iter_):
            run.append_metrics({name: values[number] for name, values in vae.history_.items()})
        own, model = vae.__dict__.get("_own_prior"), trained_model(vae)
        save_model(run, model, facts)
        if own is not None:
            more = {"encoder": fingerprint(model.encoder)}
            save_prior(run.prior_file(vae.prior_name_), vae.model_.prior, {**own.facts, **more})
        if train is not None and most:
            write_sample(run.sample_file, train, validation, most, _texts(vae))
        shown = validation if validation is not None and len(validation) else train
        if shown is None or most:
            for snapshot in snapshots_of(vae):
                write_snapshot(run, snapshot if shown is None else _on_sample(snapshot, len(shown), most))
    return Run(folder, vae.config_)


def _checked_count(images: SupportsIndex) -> int:
    try:
        count = operator.index(images)
    except TypeError:
        count = -1
    if count < 0:
        raise VaelabError(
            translated(
                "images: expected how many of each part of the data to keep, 0 or more; found {images!r}", images=images
            )
        )
    return count


def _facts(vae: FittedVAE) -> dict[str, Any]:
    names = getattr(vae, "label_names_", None)
    texts = _texts(vae)
    estimator = {
        "parameters": {
            name: as_json({FOREIGN: name_of_given(value)} if is_given(value) else value, name)
            for name, value in vae.get_params(deep=False).items()
        },
        "label_names": None if names is None else as_json(np.asarray(names), "label_names_"),
        "prior": vae.prior_name_,
        "features": as_json(getattr(vae, "feature_names_in_", None), "feature_names_in_"),
        "output": as_json(vae.__dict__.get("_sklearn_output_config"), "set_output"),
    }
    return {
        "pixel_kind": vae._kind.str,
        "label_names": None if texts is None else list(texts),
        "epochs": vae.n_iter_,
        "estimator": estimator,
    }


def _texts(vae: FittedVAE) -> tuple[str, ...] | None:
    names = getattr(vae, "label_names_", None)
    return None if names is None else tuple(str(name) for name in names.tolist())


def _data_of(vae: FittedVAE) -> tuple[Fingerprint | None, Split | None, Split | None]:
    """What the data are known by, and those that a sample is taken of: only of arrays, for what has a name or a path is read again."""
    origin: Run | None = vae.__dict__.get("_origin")
    training: TrainingData | None = vae.__dict__.get("_training")
    if origin is not None and not is_of_arrays(origin):
        return origin.fingerprint(), None, None
    if training is None:
        return (None if origin is None else origin.fingerprint()), None, None
    train = Split(training.images, training.labels)
    held_out = training.validation_images
    validation = None if held_out is None else Split(held_out, training.validation_labels)
    if origin is not None:
        return origin.fingerprint(), train, validation
    nothing = Split(training.images[:0])
    return Fingerprint.of(Dataset("arrays", train, validation or nothing, nothing)), train, validation


def snapshots_of(vae: FittedVAE) -> list[Snapshot]:
    """The snapshots of its training, in memory or in the folder that it was loaded from."""
    own: list[Snapshot] | None = vae.__dict__.get("_snapshots")
    origin: Run | None = vae.__dict__.get("_origin")
    if own is not None or origin is None:
        return own or []
    return read_snapshots(origin, vae.model_.latent_dim)


def _on_sample(snapshot: Snapshot, count: int, most: int) -> Snapshot:
    """Of its images those that the sample keeps, numbered as they are there."""
    kept = chosen_rows(count, most)
    rows = np.arange(len(snapshot.means)) if snapshot.rows is None else snapshot.rows
    chosen = np.isin(rows, kept)
    spread = snapshot.log_variances
    return dataclasses.replace(
        snapshot,
        means=snapshot.means[chosen],
        log_variances=None if spread is None else spread[chosen],
        rows=np.searchsorted(kept, rows[chosen]),
    )


def trained_model(vae: FittedVAE) -> Model:
    """Its model with the prior that was trained with it, whichever is in place now."""
    own: OwnPrior | None = vae.__dict__.get("_own_prior")
    return vae.model_ if own is None else _with_prior(vae.model_, own.prior)


def _with_prior(model: Model, prior: AbstractPrior) -> Model:
    return eqx.tree_at(lambda model: model.prior, model, prior)


# --- reading ------------------------------------------------------------------------------------------------------------------------


def load_estimator(kind: type, run: Run, prior: str | None, training_data: str | None) -> FittedVAE:
    """The estimator of a run: as it was saved, or of a command's run with the parameters that train such a model.

    Raises:
        VaelabError: where the run has no model, its files are damaged, it has no prior of that name, or `training_data` are others.
    """
    run.config.check_parts_given()
    facts = model_facts(run)
    kept: Mapping[str, Any] = facts.get("estimator") or {}
    saved = {name: from_json(value) for name, value in kept.get("parameters", {}).items()}
    saved |= {
        name: run.config.parts.get(name)
        for name, value in saved.items()
        if isinstance(value, Mapping) and FOREIGN in value
    }
    vae = kind(**(saved or _parameters(kind, run.config)))
    vae.config_ = run.config
    chosen = prior if prior is not None else kept.get("prior", TRAINED)
    model = load_model(run)
    vae._learnt(model, run.metrics(), np.dtype(facts.get("pixel_kind", "uint8")))
    if chosen != TRAINED:
        vae.model_ = load_model(run, chosen)
        vae._own_prior = OwnPrior(model.prior, read_prior(prior_path(run, chosen))[1])
        vae.prior_name_ = _name_of(chosen)
    vae._origin = run
    vae._asked = vae._config(run.config.seed, validated=run.config.data.validation == "held-out").model
    vae.__dict__["n_features_in_"] = vae.image_shape_[0]
    _give_names(vae, facts, kept)
    if training_data is not None or run.sample_file.is_file():
        # now, and not when it is asked for: the folder may be gone by then
        vae._shown = run_data(run, training_data)
        vae._training = TrainingData.from_dataset(vae._shown.dataset, run.config.data)
    return vae


def _name_of(prior: str) -> str:
    name = Path(prior).stem if prior.endswith(".safetensors") else prior
    return "fitted" if name == TRAINED else name


def _give_names(vae: FittedVAE, facts: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    names = from_json(kept.get("label_names"))
    if names is None and facts.get("label_names"):
        names = np.asarray(facts["label_names"])
    if names is not None:
        vae.label_names_ = names
    features, output = from_json(kept.get("features")), from_json(kept.get("output"))
    if features is not None:
        vae.__dict__["feature_names_in_"] = features
    if output is not None:
        vae.__dict__["_sklearn_output_config"] = output


def _parameters(kind: type, config: Config) -> dict[str, Any]:
    """The constructor's arguments that train such a model: what has no argument of its own stands in `settings`."""
    model, training, run_parts = config.model, config.training, config.parts
    encoder = _part(model.encoder, run_parts.get("encoder"), NETWORKS.names[0])
    parameters: dict[str, Any] = {
        "latent_dim": model.latent_dim,
        "hidden": getattr(model.encoder, "hidden", (256,)),
        "encoder": encoder,
        "decoder": _part(model.decoder, run_parts.get("decoder"), NETWORKS.names[0]),
        "prior": _part(model.prior, run_parts.get("prior")),
        "likelihood": _part(model.likelihood, run_parts.get("likelihood")),
        "posterior": _part(model.posterior, run_parts.get("posterior"), POSTERIORS.names[0]),
        "objective": _part(config.objective, run_parts.get("objective"), OBJECTIVES.names[0]),
        "condition": model.condition,
        # where the encoder is no perceptron, those of both sides stand with their other settings
        "activation": getattr(model.encoder, "activation", None) if encoder is None else None,
        "pixels": config.data.pixels,
        "beta": config.objective.beta,
        "warmup": config.objective.warmup,
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "optimiser": training.optimiser,
        "random_state": config.seed,
    }
    vae = kind(**parameters)
    without = vae._values(0, vae._parts(), validated=config.data.validation == "held-out")
    if config.data.pixels == "static":
        without["data.static_file"] = config.data.static_file
    usual = flat(Config().with_values(without, source="VAE").model_dump(mode="json"))
    wanted = flat(config.model_dump(mode="json"))
    settings = {
        key: value
        for key, value in wanted.items()
        if value != usual.get(key) and key not in OF_THE_RUN and not (key.startswith("data.") and key not in OF_PIXELS)
    }
    if config.data.pixels == "static":
        settings["data.static_file"] = config.data.static_file
    return parameters | {"settings": settings or None}


def _part(settings: PartSettings, given: Any, usual: str | None = None) -> Any:
    """The argument for a part: what was given, or its kind's name, whose other settings stand in `settings`; None for the usual kind."""
    if settings.kind == FOREIGN:
        return given
    return None if settings.kind == usual else settings.kind


OF_THE_RUN = {
    "recipe",
    "seed",
    "model.image_shape",
    "model.prior.classes",
    "model.classes",
    "training.snapshots",
    "training.checkpoint_seconds",
}
"""What `fit` takes from elsewhere (the random state, the data), or what only a run folder has."""

OF_PIXELS = {"data.test_seed", "data.balance"}
"""Of the data's keys: where they lie is not asked for by `fit`, how held-out pixels are drawn is."""


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A tree of values by dotted keys; free tables (`optimiser_options`) are values."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and not name.endswith("_options"):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
