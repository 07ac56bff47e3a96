"""Which prior a command means: the one trained with the model, or one fitted to it afterwards."""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import PyTree

from vaelab.errors import VaelabError, nearest_name
from vaelab.naming import named_arrays
from vaelab.priors.base import AbstractPrior
from vaelab.priors.stored import read_prior
from vaelab.runs import Run

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
        raise VaelabError(f"--prior {name}: the run {run.called} has no prior of that name; {hint}")
    prior, facts = read_prior(path)
    if prior.latent_dim != latent_dim:
        raise VaelabError(
            f"{path}: a prior over {prior.latent_dim} latent dimensions; the run {run.folder} has {latent_dim}. "
            f"Fit one to it: {run.fit_prior_command}"
        )
    if facts.get("encoder", found := fingerprint(encoder)) != found:
        raise VaelabError(
            f"{path}: fitted to the latents of other weights than the run {run.folder} has now. "
            f"Fit it again: vaelab fit-prior {run.folder} {facts.get('kind', 'mixture')} --name {name} --overwrite"
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
            f"--name {TRAINED}: reserved for the prior that the model was trained with; choose another name"
        )
    if not name or name.startswith(".") or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise VaelabError(f"--name {name!r}: expected letters, digits, '-', '_' and '.', such as mixture-50")
    return name


def fingerprint(encoder: PyTree) -> str:
    """Of an encoder's weights: a prior fitted to its latents fits no other's."""
    digest = hashlib.sha256()
    for name, array in sorted(named_arrays(encoder).items()):
        digest.update(f"{name}:{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()
