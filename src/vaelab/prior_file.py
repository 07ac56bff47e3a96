"""A fitted prior's file: its arrays by name, and in the header its settings, which rebuild their shapes. And which one a command means."""

import hashlib
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.random as jr
import numpy as np
from jaxtyping import PyTree
from pydantic import ValidationError

from vaelab.errors import VaelabError
from vaelab.kinds import PRIORS
from vaelab.language import translated
from vaelab.migration import migrated_arrays, migrated_prior
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.nearest import nearest_name
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.runs import Run
from vaelab.settings import PriorSettings
from vaelab.tensors import read_tensors, write_tensors

PRIOR_FORMAT = "vaelab-prior-2"
READABLE = ("vaelab-prior-1", PRIOR_FORMAT)

TRAINED = "trained"
"""The reserved name of the model's own prior."""


def fitted_prior(run: Run, name: str, encoder: PyTree, latent_dim: int) -> AbstractPrior:
    """A prior fitted to a run, by its name or by the path of its file.

    Raises:
        VaelabError: where there is none of that name, its file is damaged, or it was fitted to another latent space.
    """
    path = prior_path(run, name)
    if not path.is_file():
        known = run.prior_names()
        unfitted = f"none is fitted yet; make one with: {run.fit_prior_command}"
        hint = nearest_name(name, [TRAINED, *known]) if known else unfitted
        raise VaelabError(
            translated(
                "--prior {name}: the run {called} has no prior of that name; {hint}",
                name=name,
                called=run.called,
                hint=hint,
            )
        )
    prior, facts = read_prior(path)
    if prior.latent_dim != latent_dim:
        raise VaelabError(
            translated(
                "{path}: a prior over {latent_dim} latent dimensions; the run {folder} has {latent_dim_2}. Fit one to it: "
                "{fit_prior_command}",
                path=path,
                latent_dim=prior.latent_dim,
                folder=run.folder,
                latent_dim_2=latent_dim,
                fit_prior_command=run.fit_prior_command,
            )
        )
    if facts.get("encoder", found := fingerprint(encoder)) != found:
        raise VaelabError(
            translated(
                "{path}: fitted to the latents of other weights than the run {folder} has now. Fit it again: vaelab fit-prior "
                "{folder} {get} --name {name} --overwrite",
                path=path,
                folder=run.folder,
                get=facts.get("kind", "mixture"),
                name=name,
            )
        )
    return prior


def prior_path(run: Run, name: str) -> Path:
    """Where a prior of this name lies; a name that ends in .safetensors is a path itself."""
    return Path(name) if name.endswith(".safetensors") else run.prior_file(checked_name(name))


def checked_name(name: str) -> str:
    """A name that a fitted prior may have.

    Raises:
        VaelabError: for the reserved name, and for what cannot be a file's name.
    """
    if name == TRAINED:
        raise VaelabError(
            translated(
                "--name {TRAINED}: reserved for the prior that the model was trained with; choose another name",
                TRAINED=TRAINED,
            )
        )
    if not name or name.startswith(".") or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise VaelabError(
            translated("--name {name!r}: expected letters, digits, '-', '_' and '.', such as mixture-50", name=name)
        )
    return name


def fingerprint(encoder: PyTree) -> str:
    """Of an encoder's weights: a prior fitted to its latents fits no other's."""
    digest = hashlib.sha256()
    # by the names of format 1: a prior of then still knows its encoder
    arrays = {name.removeprefix("heads."): array for name, array in named_arrays(encoder).items()}
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}:{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()


# --- writing and reading ------------------------------------------------------------------------------------------------------------


def save_prior(path: Path, prior: AbstractPrior, facts: dict[str, Any] | None = None) -> None:
    """Write a prior to a file of its own; `facts` (how it was fitted) go into the header."""
    described = {
        **prior.settings().model_dump(mode="json"),
        "latent_dim": prior.latent_dim,
        "image_shape": prior.image_shape,
    }
    header = {"format": PRIOR_FORMAT, "prior": described, "facts": facts or {}}
    write_tensors(path, named_arrays(prior), header)


def load_prior(path: Path) -> AbstractPrior:
    """The prior in a file.

    Raises:
        VaelabError: where the file is missing, damaged, altered, of a newer version, or no prior's.
    """
    return read_prior(path)[0]


def read_prior(path: Path) -> tuple[AbstractPrior, dict[str, Any]]:
    """The prior in a file, and the facts beside it; raises as `load_prior`."""
    arrays, header = read_tensors(path)
    found = header.get("format")
    if found not in READABLE:
        raise VaelabError(
            translated(
                "{path}: is of format {found!r}; expected a prior's file, {PRIOR_FORMAT!r}. Fit one with: vaelab fit-prior",
                path=path,
                found=found,
                PRIOR_FORMAT=PRIOR_FORMAT,
            )
        )
    try:
        described = migrated_prior(header.get("prior"), found)
        latent_dim, image_shape = int(described.pop("latent_dim")), tuple(described.pop("image_shape", None) or ())
        settings = PRIORS.settings(described)
    except (ValidationError, VaelabError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise VaelabError(
            translated(
                "{path}: describes no prior that this vaelab knows ({first_words}). Fit it again",
                path=path,
                first_words=_first_words(error),
            )
        ) from None
    shapes = eqx.filter_eval_shape(_blank, settings, latent_dim, image_shape)
    prior = with_named_arrays(shapes, migrated_arrays(arrays, found), source=str(path))
    return prior, dict(header.get("facts") or {})


def _blank(settings: PriorSettings, latent_dim: int, image_shape: tuple[int, ...]) -> AbstractPrior:
    """A prior of the described shapes, its values to be filled in."""
    return PRIORS.build(settings, Shapes(latent_dim, image_shape), key=jr.key(0))


def _first_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error) or type(error).__name__
