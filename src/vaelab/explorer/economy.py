"""What a file to give away leaves out, so that it can be given away: mail takes no 92 MB.

First the decoders of earlier epochs, then the size of the pictures, then the weights, then some of the images. Pictures are averaged over
areas, and the networks with them: a dense layer that writes pixels writes their averages (which is what the model decodes, averaged,
where its mean is that layer itself, as a Gaussian's is; near it behind a sigmoid), one that reads pixels reads a small picture as if it
were enlarged.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from vaelab.batching import in_batches
from vaelab.generating.pictures import is_picture
from vaelab.graph import sources_of
from vaelab.language import to_translate

DECODERS = 4
"""A file carries the decoders of at most so many epochs, spread over the training."""

SHARES = (3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8)
SMALLEST_SIDE = 8
FEWER_IMAGES = (2000, 500, 100)
CHUNK = 500

PIXELS = ("thumbnails", "manifold", "snapshots/manifold")
BY_IMAGE = ("means", "log_variances", "labels", "indices", "thumbnails")
WATCHED = ("snapshots/means", "snapshots/log_variances")


@dataclass(frozen=True)
class Economy:
    """- `decoders`: of so many epochs; `weights`: whether there are any
    - `share`: the sides of the pictures beside the model's own; `images`: at most so many on the map
    """

    decoders: int = DECODERS
    share: float = 1.0
    weights: bool = True
    images: int | None = None

    def side(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of the pictures of a model whose images have this shape."""
        return max(1, round(shape[0] * self.share)), max(1, round(shape[1] * self.share))


def economies(shapes: list[tuple[int, ...]], *, networks: bool = True) -> Iterator[Economy]:
    """From nothing left out to as little as is of use, for models of images of these shapes; `networks`: whether those get smaller, too."""
    smaller = [
        share for share in SHARES if all(is_picture(one) and min(one[:2]) * share >= SMALLEST_SIDE for one in shapes)
    ]
    yield Economy()
    for share in (1.0, *smaller) if networks else (1.0,):
        yield Economy(0, share)
    for share in (1.0, *smaller):
        yield Economy(0, share, weights=False)
    for images in FEWER_IMAGES:
        yield Economy(0, min((1.0, *smaller)), weights=False, images=images)


# --- what the page is given ---------------------------------------------------------------------------------------------------------


def promised(snapshots: list[dict[str, Any]], most: int = DECODERS) -> list[dict[str, Any]]:
    """The manifest's snapshots with the decoders of at most so many epochs, spread over the training."""
    chosen = {round(place) for place in np.linspace(0, len(snapshots) - 1, min(most, len(snapshots)))}
    return [
        {**snapshot, "weights": snapshot["weights"] and place in chosen} for place, snapshot in enumerate(snapshots)
    ]


def light_manifest(manifest: Mapping[str, Any], shape: tuple[int, ...], economy: Economy) -> dict[str, Any]:
    """A run's entry in the manifest, which says what was left out; `shape` is that of the model's images."""
    in_page = manifest["engine"]["place"] == "page"
    promises = promised(manifest["snapshots"], economy.decoders if in_page and economy.weights else 0)
    had, has = (any(snapshot["weights"] for snapshot in some) for some in (manifest["snapshots"], promises))
    fewer = economy.images is not None and economy.images < manifest["shown"]
    light = {
        **manifest,
        "snapshots": promises,
        "left_out": {
            "decoders": in_page and had and not has,
            "picture": list(shape[:2]) if economy.share < 1.0 else None,
            "weights": in_page and not economy.weights,
            "images": manifest["shown"] if fewer else None,
        },
    }
    if economy.share < 1.0:
        height, width = economy.side(shape)
        light |= {"image": {**manifest["image"], "height": height, "width": width}, "normalise": "fit"}
    if fewer:
        light["shown"] = economy.images
    if in_page and not economy.weights:
        light["engine"] = {"place": "server", "reason": "its weights are left out of this file"}
    return light


def light_columns(columns: Mapping[str, np.ndarray], shape: tuple[int, ...], economy: Economy) -> dict[str, np.ndarray]:
    """A run's columns, as its `light_manifest` says."""
    kept = dict(columns)
    if economy.images is not None:
        kept |= {name: kept[name][: economy.images] for name in BY_IMAGE if name in kept}
        kept |= {name: kept[name][:, : economy.images] for name in WATCHED if name in kept}
    if economy.share < 1.0:
        kept |= {name: smaller(kept[name], shape, economy.side(shape)) for name in PIXELS if name in kept}
    return kept


def words_of(manifest: Mapping[str, Any]) -> list[str]:
    """What a run's entry says was left out, for people."""
    left, image, words = manifest.get("left_out") or {}, manifest["image"], []
    if left.get("weights"):
        words.append(to_translate("the weights, so nothing is decoded in the page"))
    elif left.get("decoders"):
        words.append(to_translate("the decoders of earlier epochs, for which the trained one answers in the replay"))
    if left.get("picture"):
        height, width = left["picture"]
        words.append(
            to_translate(
                "the full size of the pictures: {small} pixels in place of {whole}, so no costs in nats",
                small=f"{image['height']} x {image['width']}",
                whole=f"{height} x {width}",
            )
        )
    if left.get("images"):
        words.append(
            to_translate(
                "all but {shown:,} of the {all:,} images on the map", shown=manifest["shown"], all=left["images"]
            )
        )
    return words


# --- smaller pictures ---------------------------------------------------------------------------------------------------------------


def averages(size: int, smaller_size: int) -> Float[np.ndarray, "smaller size"]:
    """The matrix that averages `size` pixels in a row over as many equal stretches as are wanted; its rows sum to 1."""
    edges = np.linspace(0.0, size, smaller_size + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(size)[None]
    covered = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0.0, None)
    return covered / covered.sum(axis=1, keepdims=True)


def smaller(
    images: Shaped[np.ndarray, "n ..."], shape: tuple[int, ...], side: tuple[int, int]
) -> Shaped[np.ndarray, "m ..."]:
    """uint8 pictures (..., *shape), averaged to so many pixels; (..., height, width, *channels)."""
    rows, columns = averages(shape[0], side[0]), averages(shape[1], side[1])
    flat = images.reshape(-1, shape[0], shape[1], int(np.prod(shape[2:])))
    averaged = in_batches(
        lambda some: np.rint(np.einsum("hy,wx,nyxc->nhwc", rows, columns, some, optimize=True)).astype(np.uint8),
        flat,
        rows=CHUNK,
        fill=False,
    )
    leading = images.shape[: images.ndim - len(shape)]
    return averaged.reshape(*leading, *side, *shape[2:])


def smaller_networks(
    arrays: Mapping[str, np.ndarray], graph: Mapping[str, Any], shape: tuple[int, ...], side: tuple[int, int]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and operation graph of encoder and decoder (either may be missing) for pictures of another size."""
    rows, columns = averages(shape[0], side[0]), averages(shape[1], side[1])
    channels = int(np.prod(shape[2:]))
    small, written = dict(arrays), copy.deepcopy(dict(graph))
    pixels, few = [shape[0] * shape[1] * channels], [side[0] * side[1] * channels]
    for name in _reading(graph):
        up, across = ((one / one.sum(axis=0)).T for one in (rows, columns))
        weight = arrays[name].reshape(shape[0], shape[1], channels, -1)
        small[name] = np.einsum("yh,xw,yxco->hwco", up, across, weight, optimize=True).reshape(few[0], -1)
    for name in _writing(graph):
        values = arrays[name].reshape(-1, shape[0], shape[1], channels)
        found = np.einsum("hy,wx,iyxc->ihwc", rows, columns, values, optimize=True)
        small[name] = found.reshape(*arrays[name].shape[:-1], few[0])
    sizes = {tuple(shape): [*side, *shape[2:]], tuple(pixels): few}
    for part in written.values():
        part["input"]["shape"] = sizes.get(tuple(part["input"]["shape"]), part["input"]["shape"])
        for node in part["nodes"]:
            if node["op"] == "reshape":
                node["shape"] = sizes.get(tuple(node["shape"]), node["shape"])
    return small, written


def can_be_smaller(graph: Mapping[str, Any]) -> bool:
    """Whether only dense layers touch the pixels: convolutions of a smaller picture are others."""
    return _last_layer(graph) is not None and all(node["op"] == "dense" for node in _readers(graph))


def _reading(graph: Mapping[str, Any]) -> list[str]:
    """The weights that read the flattened image."""
    return [node["weight"] for node in _readers(graph)] if "encoder" in graph else []


def _readers(graph: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The encoder's nodes that read the image, flattened or not."""
    nodes = graph["encoder"]["nodes"]
    flat = {"image"} | {node["output"] for node in nodes if node["op"] == "reshape" and node["input"] == "image"}
    return [node for node in nodes if flat & set(sources_of(node)) and node["output"] not in flat]


def _writing(graph: Mapping[str, Any]) -> list[str]:
    """Weight and bias of the decoder's layer that writes the pixels."""
    last = _last_layer(graph) or {}
    return [last[name] for name in ("weight", "bias") if name in last]


def _last_layer(graph: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The dense layer behind the picture, with nothing but steps from number to number between them; None where there is none."""
    written = {node["output"]: node for node in graph["decoder"]["nodes"]}
    node = written.get(graph["decoder"]["outputs"]["mean"])
    while node is not None and node["op"] in ("reshape", "affine", "clip", "activation"):
        node = written.get(node["input"])
    return node if node is not None and node["op"] == "dense" else None
