"""The model's file in a run: written by training, read by everything else."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.random as jr

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.data.image_values import ImageValues
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.migration import migrated_arrays
from vaelab.model import Model
from vaelab.model_graph import operation_graph
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.nearest import nearest_name
from vaelab.prior_file import TRAINED, fitted_prior
from vaelab.runs import Run
from vaelab.tensors import read_tensors, write_tensors

MODEL_FORMAT = "vaelab-model-2"
READABLE = ("vaelab-model-1", MODEL_FORMAT)


def save_model(run: Run, model: Model, facts: dict[str, Any] | None = None) -> None:
    """Write the run's model file; `facts` (label names, epochs done) go into its header."""
    header = {
        "format": MODEL_FORMAT,
        "config": run.config.model_dump(mode="json", exclude_none=True),
        "graph": operation_graph(model),
        "facts": facts or {},
        "values": None if model.values is None else dataclasses.asdict(model.values),
    }
    write_tensors(run.model_file, named_arrays(model), header)


def load_model(run: Run, prior: str = TRAINED) -> Model:
    """The trained model of a run, with its own prior (`trained`) or one fitted afterwards, by its name or its file's path.

    Raises:
        VaelabError: where the run has no model yet, or its file is damaged, altered or of a newer version; where it
            has no prior of that name, or one that was fitted to another latent space; where a part of it was given in Python and
            is not given again.
    """
    if not run.model_file.is_file():
        raise VaelabError(
            translated(
                "{folder}: has no trained model yet; finish it with: vaelab train --resume {folder}", folder=run.folder
            )
        )
    arrays, header = read_tensors(run.model_file)
    found = header.get("format")
    if found not in READABLE:
        raise VaelabError(
            translated(
                "{model_file}: is of format {found!r}, this vaelab reads {MODEL_FORMAT!r}. Upgrade: pip install -U vaelab",
                model_file=run.model_file,
                found=found,
                MODEL_FORMAT=MODEL_FORMAT,
            )
        )
    config = Config.from_values(header["config"], source=str(run.model_file)).with_parts(run.config.parts)
    known = header.get("values")  # none in a file of an early version
    values = None if known is None else ImageValues(**known)
    shapes = eqx.filter_eval_shape(
        lambda key: dataclasses.replace(build_model(config.model, key), values=values), jr.key(0)
    )
    model = with_named_arrays(shapes, migrated_arrays(arrays, found), source=str(run.model_file))
    if prior == TRAINED:
        return model
    fitted = fitted_prior(run, prior, model.encoder, model.latent_dim)
    return eqx.tree_at(lambda model: model.prior, model, fitted)


def label_names(run: Run) -> tuple[str, ...] | None:
    """The names of the labels 0, 1, ... of a run's training data; None where they have none."""
    names = model_facts(run).get("label_names")
    return tuple(map(str, names)) if names else None


def label_number(run: Run, label: str) -> int:
    """A label's number, by its name or its number.

    Raises:
        VaelabError: for a name that the run's data do not have.
    """
    names = label_names(run) or ()
    if label in names:
        return names.index(label)
    if label.isdecimal():
        return int(label)
    raise VaelabError(
        translated(
            "label '{label}': the data of {name} have no such label; {nearest}",
            label=label,
            name=run.name,
            nearest=nearest_name(label, names),
        )
    )


def model_facts(run: Run) -> dict[str, Any]:
    """What training wrote about the data beside the weights: `label_names`, `epochs`."""
    return read_tensors(run.model_file)[1].get("facts", {})
