"""Encoder and decoder of a model as operations on named tensors (docs/design.md): what the browser reads."""

from typing import Any

from jaxtyping import Array

from vaelab.graph import UnknownOperation, read_graph
from vaelab.model import Model


def part_graphs(model: Model) -> dict[str, dict[str, Any] | UnknownOperation]:
    """Encoder and decoder as operations, or the operation that the browser does not know.

    Those of a conditional model have an input more, its label, of which the page knows nothing; `model.given(label)` has none.
    """
    if model.is_conditional:
        return dict.fromkeys(("encoder", "decoder"), UnknownOperation("a label beside the input"))

    def encode(parts: Model, image: Array) -> dict[str, Array]:
        density = parts.posterior(image)
        spread = density.marginal_log_variance  # codes without a spread have none
        return {"mean": density.centre} if spread is None else {"mean": density.centre, "log_variance": spread}

    def decode(parts: Model, z: Array) -> dict[str, Array]:
        return {"mean": parts.likelihood(z).centre}

    return {
        "encoder": read_graph(encode, "image", model.image_shape, model),
        "decoder": read_graph(decode, "z", (model.latent_dim,), model),
    }


def operation_graph(model: Model) -> dict[str, Any] | None:
    """Both parts as operations; None where the browser cannot run them, and Python does it in its place."""
    parts = part_graphs(model)
    return None if any(isinstance(part, UnknownOperation) for part in parts.values()) else dict(parts)
