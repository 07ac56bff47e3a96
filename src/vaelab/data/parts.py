"""What a source brings, and how it becomes a data set of three parts."""

from dataclasses import dataclass

from vaelab.data.dataset import Dataset, Split
from vaelab.data.splitting import hold_out, tenth
from vaelab.errors import VaelabError
from vaelab.language import plural, translated

TEST_SEED = 0


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts that a file or folder brings; what it does not bring is None, and is split off the training part."""

    train: Split
    validation: Split | None = None
    test: Split | None = None
    label_names: tuple[str, ...] | None = None


def complete(
    name: str,
    parts: Parts,
    *,
    licence: str,
    origin: str,
    validation_size: int | None,
    validation_seed: int,
    default_validation_size: int | None = None,
) -> Dataset:
    """The data set: `parts`, and those that were missing held out of the training part.

    A missing test part is a tenth of the images, always held out by seed 0, so that scores on it stay
    comparable whatever `validation_seed` is. A missing validation part is `validation_size` images (a tenth
    of what the source calls training images, where neither it nor `default_validation_size` is given), by
    `validation_seed`. `origin` then says so.

    Raises `VaelabError` for too few images to split, for a `validation_size` that leaves none to train on or
    comes with a validation part, and for parts of different image shapes or types.
    """
    train, validation, test = parts.train, parts.validation, parts.test
    missing = (validation is None) + (test is None)
    if len(train) <= missing:
        raise VaelabError(
            translated(
                plural(
                    "{name} has {count} training image; at least {least} are needed, to hold some out for "
                    "validation and test. Add images",
                    "{name} has {count} training images; at least {least} are needed, to hold some out for "
                    "validation and test. Add images",
                    len(train),
                    name=name,
                    least=missing + 1,
                )
            )
        )
    sentences = [origin]
    share = tenth(len(train))
    if test is None:
        train, test = hold_out(train, share, TEST_SEED)
        sentences.append(f"test: {len(test):,} images held out by seed {TEST_SEED}")
    if validation is None:
        size = validation_size if validation_size is not None else default_validation_size or share
        train, validation = hold_out(train, size, validation_seed)
        sentences.append(f"validation: {len(validation):,} images held out by seed {validation_seed}")
    elif validation_size is not None:
        raise VaelabError(
            translated(
                "{name} brings its own validation part of {validation:,} images; leave validation_size out",
                name=name,
                validation=len(validation),
            )
        )
    for part, split in (("validation", validation), ("test", test)):
        if (split.images.shape[1:], split.images.dtype) != (train.images.shape[1:], train.images.dtype):
            raise VaelabError(
                translated(
                    "{name}: all parts must hold images of one shape and type; train has {shape} {dtype}, {part} has "
                    "{other_shape} {other_dtype}",
                    name=name,
                    shape=train.images.shape[1:],
                    dtype=train.images.dtype,
                    part=part,
                    other_shape=split.images.shape[1:],
                    other_dtype=split.images.dtype,
                )
            )
    return Dataset(name, train, validation, test, parts.label_names, licence, "; ".join(sentences))
