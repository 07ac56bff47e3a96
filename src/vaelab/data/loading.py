"""`load_data`: a name or a path in, a data set of three parts out."""

import operator
import os
from pathlib import Path
from typing import SupportsIndex

from vaelab.data.dataset import Dataset
from vaelab.data.digits import DIGITS_LICENCE, read_digits
from vaelab.data.image_values import ImageValues
from vaelab.data.packaged import MNIST_LABELS, MNIST_LICENCE, read_mnist
from vaelab.data.parts import Parts, complete
from vaelab.data.size import Size, height_and_width
from vaelab.door import flag
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name

_MNIST_VALIDATION = 10_000
_LICENCE_OF_FILES = "not stated (your own file)"


def load_data(
    name_or_path: str | os.PathLike[str],
    *,
    size: Size | None = None,
    validation_size: SupportsIndex | None = None,
    validation_seed: SupportsIndex = 0,
    cache: str | os.PathLike[str] | None = None,
    binarised: str | os.PathLike[str] | None = None,
    skip_bad: bool = False,
    fitted: ImageValues | None = None,
) -> Dataset:
    """A data set by its name, or from a file or folder.

    `name_or_path` is one of

    - `mnist` (inside the package), `digits` (scikit-learn's, its values 0..16 brought to 0..255),
      `fashion-mnist`, `kmnist` (downloaded once);
    - a folder of IDX files (`train-images-idx3-ubyte`, ...), plain or gzipped;
    - a folder of images (PNG, JPEG, BMP, GIF, TIFF, WebP): flat, or in sub-folders that are their labels (`a/b` is
      one), or in `train` and `test` of these;
    - an `.npz` file (`x_train`, `y_train`, `x_test`, `y_test`; `images` and `labels`; `X` and `y`; or a single
      array), or an `.npy` file of images.

    A name comes before a file of that name: write `./mnist` or pass a `Path` for the file. uint8 images stay
    uint8 in [0, 255]; floats become float32 and keep their range; docs/data.md says what other integers become.

    **Parts.** What a source does not bring is held out of its training part: the test part a tenth, always by
    seed 0; the validation part `validation_size` images by `validation_seed`, which is 10,000 of MNIST's 60,000
    and a tenth of anything else unless given. `Dataset.train_and_validation` joins the two again.

    **Arguments.** `size` (a side, or (H, W), in pixels) is for folders of images only: each image is scaled until
    it covers that size and cut to it around its middle. `cache` is the folder for downloads, in place of
    $VAELAB_CACHE and the user's cache folder. `binarised` is a file of the same images, binarised once and for all (`.npz`, `.npy`, or
    the `.amat` files of the fixed binarised MNIST): it takes the place of the source's images, and of its parts.
    `skip_bad` leaves out the files of a folder that cannot be read, and says which. Images for a model that was `fitted` before
    (`model.values`) are read by the rule that was applied there.

    Raises `VaelabError`, one line that says what to do, for everything that cannot be used: an unknown name, a
    missing or damaged file, images of several sizes, NaN, labels that do not match, no network, and so on.

    >>> load_data("digits")
    Dataset('digits': train 1,437, validation 180, test 180; 8x8 uint8; 10 labels)
    """
    wanted = height_and_width(size)
    name, parts, licence, origin = read_parts(name_or_path, size, cache, binarised, skip_bad=skip_bad, fitted=fitted)
    default = _MNIST_VALIDATION if name_or_path == "mnist" else None
    dataset = complete(
        name,
        parts,
        licence=licence,
        origin=origin,
        validation_size=None if validation_size is None else operator.index(validation_size),
        validation_seed=operator.index(validation_seed),
        default_validation_size=default,
    )
    if wanted is not None and dataset.image_shape[:2] != wanted:
        raise VaelabError(
            translated(
                "{flag} is for folders of images; the images of {name} have the shape {image_shape}. Leave it out",
                flag=flag("size"),
                name=name,
                image_shape=dataset.image_shape,
            )
        )
    return dataset


def read_parts(
    name_or_path: str | os.PathLike[str],
    size: Size | None,
    cache: str | os.PathLike[str] | None,
    binarised: str | os.PathLike[str] | None = None,
    *,
    skip_bad: bool = False,
    fitted: ImageValues | None = None,
) -> tuple[str, Parts, str, str]:
    """Name, parts as the source or the file of its binarised images brings them, licence and origin.

    For a model that was `fitted` before, integers mean what they meant there.
    """
    name, parts, licence, origin = _read_source(name_or_path, size, cache, skip_bad, fitted)
    if binarised is None:
        return name, parts, licence, origin
    from vaelab.data.static_binarised import in_place_of, read_static_binarised

    found = read_static_binarised(binarised, parts.train.images.shape[1:])
    return name, in_place_of(parts, found), licence, f"{origin}; binarised in {os.fspath(binarised)}"


def _read_source(
    name_or_path: str | os.PathLike[str],
    size: Size | None,
    cache: str | os.PathLike[str] | None,
    skip_bad: bool,
    fitted: ImageValues | None,
) -> tuple[str, Parts, str, str]:
    if name_or_path == "mnist":
        train, test = read_mnist()
        return "mnist", Parts(train, test=test, label_names=MNIST_LABELS), MNIST_LICENCE, "inside vaelab"
    if name_or_path == "digits":
        parts = Parts(read_digits(), label_names=MNIST_LABELS)
        return "digits", parts, DIGITS_LICENCE, "inside scikit-learn, values 0..16 brought to 0..255"
    from vaelab.data.names import NAMES, PUBLISHED

    if isinstance(name_or_path, str) and name_or_path in PUBLISHED:
        from vaelab.data.downloads import read_published

        published = PUBLISHED[name_or_path]
        parts, origin = read_published(published, cache)
        return published.name, parts, published.licence, origin
    path = Path(name_or_path).expanduser()
    if not os.fspath(name_or_path) or not _exists(path):
        raise VaelabError(_missing(name_or_path, NAMES))
    name = path.resolve().name if path.is_dir() else path.stem
    return name, _read_path(path, size, skip_bad, fitted), _LICENCE_OF_FILES, str(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder on the way that may not be entered
        return False


def _missing(name_or_path: str | os.PathLike[str], names: tuple[str, ...]) -> str:
    text = os.fspath(name_or_path)
    if not isinstance(name_or_path, str) or os.sep in text or "/" in text or Path(text).suffix:
        return translated(
            "no such file or folder: {path}; check the path, or name a data set ({names})",
            path=text,
            names=", ".join(names),
        )
    return translated(
        "unknown data set {name!r}, and no file or folder of that name: {nearest}",
        name=text,
        nearest=nearest_name(text.lower(), names),
    )


def _read_path(path: Path, size: Size | None, skip_bad: bool, fitted: ImageValues | None) -> Parts:
    # Each kind of source imports its reader when it is asked for: Pillow is not needed for MNIST.
    try:
        if path.is_dir():
            from vaelab.data.idx_folder import has_idx_files, read_idx_folder
            from vaelab.data.image_folder import read_image_folder

            return read_idx_folder(path) if has_idx_files(path) else read_image_folder(path, size, skip_bad=skip_bad)
        if path.suffix.lower() == ".npz":
            from vaelab.data.array_files import read_npz

            return read_npz(path, fitted)
        if path.suffix.lower() == ".npy":
            from vaelab.data.array_files import read_npy

            return read_npy(path, fitted)
    except PermissionError as error:
        raise VaelabError(
            translated(
                "cannot read {filename}: {strerror}; change its permissions",
                filename=error.filename or path,
                strerror=error.strerror,
            )
        ) from error
    raise VaelabError(
        translated(
            "{path} is no data set: expected a folder of images or of IDX files, .npz or .npy; for a single "
            "IDX or image file, give its folder",
            path=path,
        )
    )
