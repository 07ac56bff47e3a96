"""A folder of image files: flat, or in sub-folders that are their labels, or in parts of these."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vaelab.data.dataset import Split
from vaelab.data.labels import in_order
from vaelab.data.parts import Parts
from vaelab.data.pictures import EXPECTED, IMAGE_SUFFIXES, Pixels, UnreadablePicture, covering, open_picture
from vaelab.data.size import Size, height_and_width
from vaelab.door import in_words, option, say
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

_PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}

NAMED_AT_MOST = 10
"""So many of the files that cannot be read are named in an error."""

_Files = list[tuple[str | None, Path]]  # label and path of each image


def read_image_folder(folder: Path, size: Size | None = None, *, skip_bad: bool = False) -> Parts:
    """The images in a folder: flat, or in sub-folders that are their labels, or in `train` and `test` of these.

    A sub-folder of a sub-folder is a label of its own, `a/b`. All images have to be of one size, unless `size` (a side, or (H, W)) is
    given: then each is scaled, keeping its proportions, until it covers `size`, and cut to it around its middle. Where grey and colour
    images are mixed, all become RGB. Hidden files are passed over, and so are files of other kinds and folders without images, which is
    said. `skip_bad` leaves out files that cannot be read, and names them. Images are taken in the order of their names; labels in the
    order of the sub-folders' names, as numbers where all are.

    Raises `VaelabError` for a folder without images, images both beside and inside sub-folders, unreadable files (all of them in one
    line), and several sizes without `size`.
    """
    target = height_and_width(size)
    parts = _parts(folder)
    _say_what_was_passed_over(folder)
    read = _read(folder, [path for files in parts.values() for _, path in files], target, skip_bad)
    left = {part: [(label, path) for label, path in files if path in read] for part, files in parts.items()}
    for part, files in left.items():
        if not files:
            raise VaelabError(
                translated(
                    "{folder}: none of the {count:,} image files of its {part} part can be read; save them again",
                    folder=folder,
                    count=len(parts[part]),
                    part=part,
                )
            )
    names = in_order({label for files in left.values() for label, _ in files if label is not None})
    numbers = {name: number for number, name in enumerate(names)}
    splits = {}
    for part, files in left.items():
        labels = np.array([numbers[label] for label, _ in files if label is not None], dtype=np.int64)
        splits[part] = Split(np.stack([read[path] for _, path in files]), labels if names else None)
    return Parts(splits["train"], splits.get("validation"), splits.get("test"), names or None)


# --- which files ------------------------------------------------------------------------------------------------------------------------


def _parts(folder: Path) -> dict[str, _Files]:
    """The files of each part, by the names of the sub-folders; without such names all are `train`."""
    folders = _subfolders(folder)
    named = [path for path in folders if path.name.lower() in _PART_NAMES]
    if not folders or len(named) < len(folders) or _images(folder):
        files = _files_by_label(folder)
        nested = {(label or "").split("/")[0].lower() for label, _ in files if label is not None and "/" in label}
        if "train" in nested and any(_PART_NAMES[path.name.lower()] == "test" for path in named):
            others = ", ".join(path.name for path in folders if path not in named)
            raise VaelabError(
                translated(
                    "{folder} has parts ({named}) beside other sub-folders ({others}); move those away",
                    folder=folder,
                    named=", ".join(path.name for path in named),
                    others=others,
                )
            )
        return {"train": files}
    parts: dict[str, _Files] = {}
    for path in named:
        part = _PART_NAMES[path.name.lower()]
        if part in parts:
            alike = ", ".join(other.name for other in named if _PART_NAMES[other.name.lower()] == part)
            raise VaelabError(
                translated(
                    "{folder} has several sub-folders for its {part} part ({alike}); leave one",
                    folder=folder,
                    part=part,
                    alike=alike,
                )
            )
        parts[part] = _files_by_label(path)
    if "train" not in parts:
        raise VaelabError(
            translated(
                "{folder} has the sub-folders {folders} but none called train; add it",
                folder=folder,
                folders=", ".join(path.name for path in folders),
            )
        )
    if len({label is not None for files in parts.values() for label, _ in files}) == 2:
        raise VaelabError(
            translated(
                "{folder}: some parts have sub-folders as labels and some have not; make them alike", folder=folder
            )
        )
    return parts


def _files_by_label(folder: Path) -> _Files:
    flat = _images(folder)
    inside = [
        (below.relative_to(folder).as_posix(), path) for below in _folders_below(folder) for path in _images(below)
    ]
    if flat and inside:
        raise VaelabError(
            translated(
                "{folder} has images beside its sub-folders ({name}) and inside them ({inside}); put all into "
                "sub-folders, which are their labels, or none",
                folder=folder,
                name=flat[0].name,
                inside=inside[0][0],
            )
        )
    if not flat and not inside:
        raise VaelabError(
            translated(
                "{folder} holds no images; expected files ending in {image_suffixes} there or in sub-folders "
                "named by label, or IDX files such as train-images-idx3-ubyte",
                folder=folder,
                image_suffixes=", ".join(IMAGE_SUFFIXES),
            )
        )
    return [(None, path) for path in flat] if flat else list(inside)


def _folders_below(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Every sub-folder, however deep, each before those inside it; a link to a folder above it is not followed."""
    above = (*above, folder.resolve())
    for path in _subfolders(folder):
        if path.resolve() not in above:
            yield path
            yield from _folders_below(path, above)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _images(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _say_what_was_passed_over(folder: Path) -> None:
    kinds: Counter[str] = Counter()
    empty = []
    for below in (folder, *_folders_below(folder)):
        for path in _visible(below):
            if path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES:
                kinds[path.suffix.lower() or translated("without an ending")] += 1
        if not _images(below) and not _subfolders(below):
            empty.append(below.relative_to(folder).as_posix())
    if kinds:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        say(
            translated(
                "{folder}: passed over files that are no images by their names ({listed}); {expected}",
                folder=folder,
                listed=listed,
                expected=EXPECTED,
            )
        )
    if empty:
        say(
            translated(
                "{folder}: no images in {empty}; passed over, and no label", folder=folder, empty=", ".join(empty)
            )
        )


# --- what is in them --------------------------------------------------------------------------------------------------------------------


def _read(folder: Path, paths: list[Path], target: tuple[int, int] | None, skip_bad: bool) -> dict[Path, Pixels]:
    """The pixels of each file that can be read, all of one shape."""
    images: dict[Path, Pixels] = {}
    bad: dict[Path, str] = {}
    for path in paths:
        try:
            picture = open_picture(path)
        except UnreadablePicture as reason:
            bad[path] = str(reason)
        else:
            images[path] = np.asarray(picture if target is None else covering(picture, target))
    if bad and (not skip_bad or not images):
        raise VaelabError(_unreadable(folder, bad, len(paths)))
    if bad:
        names = ", ".join(path.relative_to(folder).as_posix() for path in bad)
        say(
            translated(
                "{folder}: left out {bad:,} of {paths:,} image files, which cannot be read: {names}",
                folder=folder,
                bad=len(bad),
                paths=len(paths),
                names=names,
            )
        )
    _check_sizes(images)
    if len({image.ndim for image in images.values()}) == 2:  # grey and colour
        return {path: image if image.ndim == 3 else np.stack([image] * 3, axis=-1) for path, image in images.items()}
    return images


def _unreadable(folder: Path, bad: dict[Path, str], total: int) -> str:
    if len(bad) == total:
        way_out = ""
    else:
        way_out = in_words(
            command=translated("; vaelab train --skip-bad leaves out what cannot be read"),
            python=translated("; {option} leaves out what cannot be read", option=option("skip_bad")),
        )
    if len(bad) == 1:
        ((path, reason),) = bad.items()
        return translated(
            "cannot read {path} as an image ({reason}); {expected}. Save it again, or take it out{way_out}",
            path=path,
            reason=reason,
            expected=EXPECTED,
            way_out=way_out,
        )
    named = [f"{path.relative_to(folder).as_posix()} ({reason})" for path, reason in bad.items()][:NAMED_AT_MOST]
    more = [translated("and {count:,} more", count=len(bad) - len(named))] if len(bad) > len(named) else []
    share = (
        to_translate("any of the {all:,} files", all=total)
        if len(bad) == total
        else to_translate("{bad:,} of the {all:,} files", bad=len(bad), all=total)
    )
    return translated(
        "cannot read {share} in {folder} as images: {names}; {expected}. Save them again, or take them out{way_out}",
        share=share,
        folder=folder,
        names=", ".join(named + more),
        expected=EXPECTED,
        way_out=way_out,
    )


def _check_sizes(images: dict[Path, Pixels]) -> None:
    sizes = {path: image.shape[:2] for path, image in images.items()}
    first, size = next(iter(sizes.items()), (None, None))
    other = next((path for path in sizes if sizes[path] != size), None)
    if size is not None and other is not None:
        height, width = sizes[other]
        raise VaelabError(
            translated(
                "images of several sizes: {first} is {size} (height x width), {other} is "
                "{height}x{width}; bring all to one with {option}",
                first=first,
                size=f"{size[0]}x{size[1]}",
                other=other,
                height=height,
                width=width,
                option=option("size", size[0]),
            )
        )
