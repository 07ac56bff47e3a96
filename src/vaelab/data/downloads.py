"""Data sets that are published elsewhere: fetched once, checked, and kept in a cache folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vaelab.data.dataset import Split
from vaelab.data.idx import read_idx
from vaelab.data.image_values import as_images
from vaelab.data.labels import as_labels, paired
from vaelab.data.parts import Parts
from vaelab.errors import VaelabError
from vaelab.language import translated

_TIMEOUT = 30.0  # seconds without a byte from a mirror


@dataclass(frozen=True)
class Published:
    """A data set in MNIST's four gzipped IDX files, and where to get them.

    `md5` is of the gzipped files as published, `sha256` of their uncompressed content, which a distribution's
    package has even where it compressed the files anew; `system_folder` is where that package puts them.
    A mirror is the URL of a folder, ending in a slash; they are tried in turn.
    """

    name: str
    md5: Mapping[str, str]
    mirrors: tuple[str, ...]
    label_names: tuple[str, ...]
    licence: str
    system_folder: Path | None = None
    system_package: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


FASHION_MNIST = Published(
    name="fashion-mnist",
    # torchvision 0.27, torchvision/datasets/mnist.py, class FashionMNIST.
    md5={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    label_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    licence="MIT, copyright Zalando SE",
    system_folder=Path("/usr/share/datasets/fashion-mnist"),
    system_package="Debian's dataset-fashion-mnist",
    # The files of Debian's package dataset-fashion-mnist 0.0~git20200523.55506a9-1, gunzipped. They are the published
    # ones: with the file name and the time (31 August 2017) put back into gzip's header, each has its MD5 above.
    sha256={
        "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
)

KMNIST = Published(
    name="kmnist",
    # torchvision 0.27, torchvision/datasets/mnist.py, class KMNIST.
    md5={
        "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
    },
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "https://storage.googleapis.com/kuzushiji-mnist/",  # the authors' first address
    ),
    label_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    licence='CC BY-SA 4.0, "KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created by NIJL and '
    "others), doi:10.20676/00000341",
)


def cache_folder(published: Published, cache: str | os.PathLike[str] | None = None) -> Path:
    """Where the files of `published` are kept: in `cache`, else $VAELAB_CACHE, else the user's cache folder."""
    chosen = cache or os.environ.get("VAELAB_CACHE")
    if chosen is None or chosen == "":
        import pooch

        chosen = pooch.os_cache("vaelab")
    return Path(chosen).expanduser() / published.name


def location(published: Published, cache: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder where all files of `published` are at hand, or None where they have yet to be downloaded."""
    folders = [published.system_folder, cache_folder(published, cache)]
    return next((folder for folder in folders if folder is not None and _complete(folder, published)), None)


def read_published(published: Published, cache: str | os.PathLike[str] | None = None) -> tuple[Parts, str]:
    """The training and test part of `published`, and a sentence saying where they came from.

    A distribution's package is read where it is installed, with every file's content checked by SHA-256. Else
    each file is taken from the cache folder, or downloaded into it from the first mirror that delivers the file
    with the right MD5.

    Raises `VaelabError` where no mirror delivers a file, the cache folder cannot be written, or a file of the
    installed package is damaged.
    """
    if published.system_folder is not None and _complete(published.system_folder, published):
        files = {name: published.system_folder / name for name in published.md5}
        parts = _read(published, files, published.sha256)
        return parts, f"{published.system_package} in {published.system_folder}"
    folder = cache_folder(published, cache)
    files = {name: _fetched(name, published, folder) for name in published.md5}
    return _read(published, files, {}), f"downloaded to {folder}"


def _complete(folder: Path, published: Published) -> bool:
    return all((folder / name).is_file() for name in published.md5)


def _read(published: Published, files: Mapping[str, Path], sha256: Mapping[str, str]) -> Parts:
    def part(prefix: str) -> Split:
        names = f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"
        images, labels = (read_idx(files[name], sha256=sha256.get(name)) for name in names)
        values, _ = as_labels(labels, str(files[names[1]]))
        return paired(as_images(images, str(files[names[0]])), values, names[0], names[1])

    return Parts(part("train"), test=part("t10k"), label_names=published.label_names)


def _fetched(name: str, published: Published, folder: Path) -> Path:
    # pooch downloads to a temporary name, checks, and moves into place: a file in the cache is never half one.
    import pooch
    import requests

    failures = []
    for mirror in published.mirrors:
        downloader: Any = pooch.HTTPDownloader(timeout=_TIMEOUT)  # pooch's own annotation of it does not fit `retrieve`
        try:
            path = pooch.retrieve(
                f"{mirror}{name}", f"md5:{published.md5[name]}", fname=name, path=folder, downloader=downloader
            )
        except requests.RequestException as error:  # an OSError too, so it comes first
            failures.append(f"{_short(mirror)}: {_reason(error)}")
        except ValueError:  # pooch's word for a wrong hash
            failures.append(
                translated("{mirror}: damaged in transfer or not the published file", mirror=_short(mirror))
            )
        except OSError as error:
            raise VaelabError(
                translated(
                    "cannot keep {name} in {folder}: {strerror}; choose another folder with --cache (cache=... in "
                    "Python) or VAELAB_CACHE",
                    name=name,
                    folder=folder,
                    strerror=error.strerror or error,
                )
            ) from error
        else:
            return Path(path)
    raise VaelabError(
        translated(
            "cannot download {name} of {data} ({failures}); check the connection, put the {count} "
            "files into {folder} yourself, or use mnist, which needs no download",
            name=name,
            data=published.name,
            failures="; ".join(failures),
            count=len(published.md5),
            folder=folder,
        )
    )


def _short(mirror: str) -> str:
    scheme, host, *_ = urlsplit(mirror)
    return f"{scheme}://{host}"


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return translated("no answer in time")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return translated("transfer cut short")
    if isinstance(error, requests.ConnectionError):
        return translated("no connection")
    return type(error).__name__
