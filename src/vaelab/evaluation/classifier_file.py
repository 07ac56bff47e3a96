"""A classifier as a safetensors file: its weights by name, and in the header what it is and how it was made."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from vaelab.errors import VaelabError
from vaelab.evaluation.classifier import Classifier
from vaelab.language import translated
from vaelab.tensors import read_tensors, write_tensors

FORMAT = "vaelab-classifier-1"


def save_classifier(
    path: str | os.PathLike[str],
    classifier: Classifier,
    *,
    name: str,
    image_shape: tuple[int, int, int],
    dtype: type[np.floating] = np.float32,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write `classifier` of images of `image_shape` (height, width, channels) to `path`, its weights as `dtype`.

    `about` is any JSON that tells how it was made. **Raises:** `VaelabError` where the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "name": name,
        "image_shape": list(image_shape),
        "classes": classifier.output.bias.shape[0],
        "channels": [convolution.bias.shape[0] for convolution in classifier.convolutions],
        "hidden": classifier.hidden.bias.shape[0],
        "about": dict(about or {}),
    }
    write_tensors(Path(path), {key: np.asarray(value, dtype) for key, value in _named(classifier).items()}, header)


def load_classifier(path: str | os.PathLike[str]) -> tuple[Classifier, dict[str, Any]]:
    """The classifier in `path`, in float32, and its header: `name`, `image_shape`, `classes`, `channels`, `hidden`,
    `about`.

    **Raises:** `VaelabError` for a file that is missing, damaged, or no classifier.
    """
    weights, header = read_tensors(Path(path))
    if header.get("format") != FORMAT:
        raise VaelabError(
            translated(
                "{path}: not a classifier; expected the format {format!r}, got {get!r}. Write one with "
                "save_classifier.",
                path=path,
                format=FORMAT,
                get=header.get("format"),
            )
        )
    empty = eqx.filter_eval_shape(
        Classifier,
        tuple(header["image_shape"]),
        header["classes"],
        channels=tuple(header["channels"]),
        hidden=header["hidden"],
        key=jr.key(0),
    )
    leaves = [jnp.asarray(weights[key], jnp.float32) for key in _named(empty)]
    return jax.tree.unflatten(jax.tree.structure(empty), leaves), header


def _named(classifier: Classifier) -> dict[str, Any]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(classifier)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
