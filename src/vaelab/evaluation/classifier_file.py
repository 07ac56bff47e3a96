"""A classifier as a safetensors file: its weights by name, and in the header what it is and how it was made."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vaelab.errors import VaelabError
from vaelab.evaluation.classifier import Classifier

FORMAT = "vaelab-classifier-1"


def save_classifier(
    path: str | os.PathLike[str],
    classifier: Classifier,
    *,
    name: str,
    image_shape: tuple[int, int, int],
    dtype: type[np.floating] = np.float32,
    about: Mapping[str, object] | None = None,
) -> None:
    """Write `classifier` to `path`, at once and whole; `about` is any JSON that tells how it was made."""
    weights = {key: np.asarray(value, dtype) for key, value in _named(classifier).items()}
    shape = {
        "image_shape": list(image_shape),
        "classes": classifier.output.bias.shape[0],
        "channels": [convolution.bias.shape[0] for convolution in classifier.convolutions],
        "hidden": classifier.hidden.bias.shape[0],
    }
    metadata = {
        "format": FORMAT,
        "name": name,
        "shape": json.dumps(shape),
        "about": json.dumps(dict(about or {})),
        "digest": _digest(weights),
    }
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("wb") as file:
        file.write(save(weights, metadata))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_classifier(path: str | os.PathLike[str]) -> tuple[Classifier, dict[str, object]]:
    """The classifier in `path`, in float32, and its header: `name`, `image_shape`, `classes`, `channels`, `hidden`, `about`, `digest`.

    **Raises:** `VaelabError` for a file that is missing, is no classifier, or whose weights are not those it was written with.
    """
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise VaelabError(f"no classifier at {path}: there is no such file. Write one with save_classifier.") from None
    except (SafetensorError, OSError) as error:
        raise VaelabError(f"{path} cannot be read as a safetensors file ({error}). Copy it anew or train it again.") from None
    if metadata.get("format") != FORMAT:
        raise VaelabError(f"{path} is no classifier: its format is {metadata.get('format')!r}, not {FORMAT!r}.")
    damaged = VaelabError(f"{path} is damaged: its weights are not those it was written with. Copy it anew or train it again.")
    if metadata.get("digest") != _digest(weights):
        raise damaged
    try:
        header = json.loads(metadata["shape"]) | {"name": metadata["name"], "about": json.loads(metadata["about"]), "digest": metadata["digest"]}
        empty = eqx.filter_eval_shape(
            Classifier,
            tuple(header["image_shape"]),
            header["classes"],
            channels=tuple(header["channels"]),
            hidden=header["hidden"],
            key=jr.key(0),
        )
        shapes = {key: value.shape for key, value in _named(empty).items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged from None
    if shapes != {key: value.shape for key, value in weights.items()}:
        raise damaged
    leaves = [jnp.asarray(weights[key], jnp.float32) for key in _named(empty)]
    return jax.tree.unflatten(jax.tree.structure(empty), leaves), header


def _named(classifier: Classifier) -> dict[str, jax.Array]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(classifier)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _digest(weights: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for key in sorted(weights):
        value = np.ascontiguousarray(weights[key])
        digest.update(f"{key} {value.dtype} {value.shape} ".encode() + value.tobytes())
    return digest.hexdigest()
