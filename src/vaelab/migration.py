"""What files of an earlier format are called today: one function for every kind of file that holds arrays of a model.

Format 1 had a class for each posterior and likelihood, with its heads and its scale beside its network; since format 2 a conditional
density has `heads` and a `family`.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

# the head's name, after the encoder or decoder that owned it; `network` and what lies in it kept its place
_HEADS = re.compile(r"\b(encoder|decoder)\.(mean|log_variance|logits)\.(weight|bias)$")
_SCALE = re.compile(r"\bdecoder\.free_scale$")


def migrated_arrays(arrays: Mapping[str, np.ndarray], format_name: object) -> dict[str, np.ndarray]:
    """The arrays of a model, a prior, a checkpoint, a snapshot or half-precision weights, by the names that they have today.

    `format_name` is what the file's header calls its format; one that does not end in -1 is today's.
    """
    if not str(format_name).endswith("-1"):
        return dict(arrays)
    return {_today(name): array for name, array in arrays.items()}


def _today(name: str) -> str:
    return _SCALE.sub("decoder.family.free_scale", _HEADS.sub(r"\1.heads.\2.\3", name))


def migrated_prior(described: Any, format_name: object) -> Any:
    """A fitted prior's settings as they are called today: format 1 did not say of a flow that its affine map is fixed."""
    if not str(format_name).endswith("-1") or not isinstance(described, Mapping):
        return described
    changed = dict(described)
    if changed.get("kind") == "flow":
        changed.setdefault("affine", "fixed")
    if "priors" in changed:
        parts = [migrated_prior(part, format_name) for part in changed["priors"]]
        changed["priors"] = [{name: value for name, value in part.items() if name != "latent_dim"} for part in parts]
    return changed
