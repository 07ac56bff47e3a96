"""What is generated, written where the user says: a picture, arrays, or a folder of pictures; and latents read back."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from vaelab.errors import VaelabError
from vaelab.generating.pictures import as_levels, columns_for, is_picture, png_bytes, shown_range, tiled
from vaelab.language import in_a_sentence, to_translate, translated
from vaelab.tensors import write_bytes_safely

SHEET = 800
"""A sheet of small pictures is enlarged by a whole factor, up to about so many pixels on its longer side."""

OutputKind = Literal["sheet", "arrays", "folder"]


def output_kind(path: Path, image_shape: tuple[int, ...] | None = None) -> OutputKind:
    """What a name asks for: `.png` one picture of them all, `.npz` arrays, a name without an ending a folder of
    pictures.

    Raises:
        VaelabError: for another ending, and for pictures of data that are none (`image_shape`).
    """
    kinds: dict[str, OutputKind] = {".png": "sheet", ".npz": "arrays", "": "folder"}
    suffix = "" if path.is_dir() else path.suffix.lower()
    if suffix not in kinds:
        raise VaelabError(
            translated(
                "{path}: expected a name ending in .png or .npz, or without an ending for a folder of PNG files",
                path=path,
            )
        )
    kind = kinds[suffix]
    if kind != "arrays" and image_shape is not None and not is_picture(image_shape):
        raise VaelabError(
            translated(
                "{path}: data of shape {image_shape} are no pictures; choose a name ending in .npz",
                path=path,
                image_shape=image_shape,
            )
        )
    return kind


def write_images(
    path: Path,
    images: Shaped[np.ndarray, "n ..."],
    *,
    columns: int | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Images (uint8, or floats with black at 0 and white at 1) as the name of `path` asks.

    A sheet has `columns` columns (by default about as many as rows). An `.npz` holds `images` as they are, and `arrays`
    beside them.

    Raises:
        VaelabError: as `output_kind` does, and where nothing can be written.
    """
    kind = output_kind(path, images.shape[1:])
    if kind == "arrays":
        write_arrays(path, {"images": images, **(arrays or {})})
        return
    low, high = shown_range(images)
    levels = as_levels(images, low=low, high=high)
    if kind == "sheet":
        sheet = tiled(levels, columns or columns_for(len(levels)), gap=2)
        write_bytes_safely(path, png_bytes(sheet, enlarged=max(1, SHEET // max(sheet.shape[:2]))))
        return
    digits = max(4, len(str(len(levels) - 1)))
    try:
        path.mkdir(parents=True, exist_ok=True)
        for place, picture in enumerate(levels):
            (path / f"{place:0{digits}d}.png").write_bytes(png_bytes(picture))
    except OSError as error:
        raise VaelabError(
            translated(
                "{path}: could not be written ({strerror}); free some space, or choose another folder",
                path=path,
                strerror=error.strerror or error,
            )
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Named arrays as an `.npz` file.

    Raises:
        VaelabError: where it cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(arrays))
    write_bytes_safely(path, buffer.getvalue())


def read_latents(path: Path, name: str | None = None) -> tuple[Float[np.ndarray, "..."], str]:
    """Points of a latent space from an `.npz` or `.npy` file, and the name of the array that was taken.

    That is `name`, or the first that is there of `z`, `mean` and `draw`, or the only one. Nothing is unpickled.

    Raises:
        VaelabError: for a file that is missing, damaged or of another kind, and for an array that is not there or no
        numbers.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = {"z": loaded} if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except FileNotFoundError:
        raise VaelabError(
            translated("{path}: no such file; make one with: vaelab encode RUN --out {path}", path=path)
        ) from None
    except Exception as error:  # of a damaged file NumPy lets anything through
        raise VaelabError(
            translated(
                "{path}: damaged, or no .npz or .npy file of plain arrays; make one with: vaelab encode RUN", path=path
            )
        ) from error
    known = [key for key in ("z", "mean", "draw") if key in arrays] or list(arrays)[: 1 if len(arrays) == 1 else 0]
    chosen = name or (known[0] if known else None)
    if chosen is None or chosen not in arrays:
        wanted = to_translate("an array '{name}'", name=name) if name else to_translate("an array z, mean or draw")
        raise VaelabError(
            translated(
                "{path}: expected {wanted}; found {arrays}",
                path=path,
                wanted=wanted,
                arrays=", ".join(map(in_a_sentence, sorted(arrays))) or translated("none"),
            )
        )
    values = arrays[chosen]
    if values.dtype.kind not in "fiu":
        raise VaelabError(
            translated(
                "{path}: expected numbers in '{chosen}'; found {dtype}",
                path=path,
                chosen=in_a_sentence(chosen),
                dtype=values.dtype,
            )
        )
    return values.astype(np.float32), chosen


def read_labels(path: Path, count: int) -> Int[np.ndarray, " count"]:
    """The labels of `count` points, from the array `labels` beside them in a file that `read_latents` took.

    Raises:
        VaelabError: where it has none, or not one for each.
    """
    labels = None
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            labels = arrays["labels"] if "labels" in arrays.files else None
    if labels is None or labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise VaelabError(
            translated(
                "{path}: this model sees labels, and points are decoded given theirs: expected an array labels of {count:,} whole numbers; "
                "give one label for all with --label",
                path=path,
                count=count,
            )
        )
    return labels.astype(np.int32)
