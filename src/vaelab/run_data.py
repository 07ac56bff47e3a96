"""Which data a run means: its own, wherever they lie now, and known again; the sample that it keeps; or others in their place.

Everything that asks for a run's images asks here: commands, figures, the explorer, evaluation, the estimator, `--resume`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vaelab.data import Dataset, Fingerprint, Split, load_data
from vaelab.data.fingerprint import ARRAYS, PartPrint
from vaelab.data.image_values import ImageValues
from vaelab.data.loading import read_parts
from vaelab.data.names import NAMES
from vaelab.door import in_words
from vaelab.errors import VaelabError
from vaelab.kept_sample import read_sample
from vaelab.language import Words, to_translate, translated
from vaelab.runs import Run
from vaelab.tensors import read_tensors

WHERE = to_translate("--training-data PATH says where they are now")


class TrainingDataError(VaelabError):
    """The data that a run was trained on are not to be had, or what lies in their place are others."""


@dataclass(frozen=True, eq=False)
class RunData:
    """- `dataset`: of a run, or in the place of its own
    - `split`: what `dataset.test` holds: `test`, `validation` or `training` images
    - `note`: what a reader of anything that rests on them has to know; empty for a run's own data
    - `source`: the arguments of `load_data` that gave them; None for arrays
    """

    dataset: Dataset
    split: str = "test"
    note: str = ""
    source: Mapping[str, Any] | None = None


def run_data(run: Run, training_data: str | None = None) -> RunData:
    """The data that a run was trained on, checked by their fingerprint; for a saved estimator the sample that it keeps.

    `training_data` says where they are now, a name or a path. A run of an early vaelab has no fingerprint: its
    data are taken as they are.

    Raises:
        TrainingDataError: where they are gone, or others lie in their place: in what they differ, and what to do.
    """
    if training_data is None and run.sample_file.is_file():
        return _kept(run)
    if is_of_arrays(run):
        return _arrays(run, training_data)
    return _read(run, training_data, grey=False)


def arrays_data(
    train: Split,
    validation: Split,
    label_names: tuple[str, ...] | None = None,
    *,
    name: str = ARRAYS,
    origin: str = "handed to fit",
) -> RunData:
    """Arrays that an estimator was fitted on; what was held out of its training stands for test images, else its training images do."""
    held_out = len(validation) > 0
    dataset = Dataset(name, train, validation, validation if held_out else train, label_names, origin=origin)
    return RunData(dataset, "validation" if held_out else "training")


def chosen_data(
    run: Run, data: str | None = None, training_data: str | None = None, *, fitted: ImageValues | None = None
) -> RunData:
    """A run's own data, or `data`, a name or a path, in their place, read by what the model was `fitted` on.

    Raises:
        VaelabError: where they cannot be read, or both are given; as `run_data`.
    """
    if data is None:
        return run_data(run, training_data)
    if training_data is not None:
        raise VaelabError(
            translated(
                "--data {data} takes the place of the run's own data, so --training-data is not asked for; leave "
                "one out",
                data=data,
            )
        )
    config = run.config.data
    size = config.size if Path(data).is_dir() else None
    return RunData(
        load_data(data, size=size, validation_seed=config.validation_seed, skip_bad=config.skip_bad, fitted=fitted)
    )


def grey_data(run: Run, training_data: str | None = None) -> Dataset:
    """The grey images of a run on images that were binarised once; of any other run its own.

    Raises:
        VaelabError: as `run_data`; of grey images only the file of the binarised ones is known again.
    """
    if run.config.data.pixels != "static":
        return run_data(run, training_data).dataset
    return _read(run, training_data, grey=True).dataset


def check_same(run: Run, dataset: Dataset, place: str) -> None:
    """Refuse data that are not those of the run's fingerprint; `place` is what they are called in the complaint.

    Raises:
        TrainingDataError: in what they differ.
    """
    known = run.fingerprint()
    difference = "" if known is None else known.difference(Fingerprint.of(dataset))
    if difference:
        todo = "" if place.startswith("--training-data") else to_translate("; {where}", where=WHERE)
        raise TrainingDataError(
            translated(
                "{place}: not the data that {called} was trained on: {difference}{todo}",
                place=place,
                called=run.called,
                difference=difference,
                todo=todo,
            )
        )


def is_of_arrays(run: Run) -> bool:
    """Whether it is an estimator that was fitted on arrays: they lie nowhere, whatever folder has their name."""
    known = run.fingerprint()
    if known is not None:
        return known.is_of_arrays
    # an early vaelab: only a saved estimator names the type of its pixels
    return (
        run.config.data.name == ARRAYS
        and run.model_file.is_file()
        and "pixel_kind" in read_tensors(run.model_file)[1].get("facts", {})
    )


# --- where they lie -----------------------------------------------------------------------------------------------------------------


def _read(run: Run, training_data: str | None, *, grey: bool) -> RunData:
    """The data from the first place where there are any, known again; `grey`: in place of the file of their binarised images."""
    known = run.fingerprint()
    missing: TrainingDataError | None = None
    for place in [training_data] if training_data is not None else _places(known, run.config.data.name):
        named = place if training_data is None else f"--training-data {place}"
        if place not in NAMES and not Path(place).expanduser().exists():
            at = (
                to_translate("are not at {place} any more; {where}", place=place, where=WHERE)
                if training_data is None
                else to_translate("are not there: {place}", place=place)
            )
            missing = missing or TrainingDataError(
                translated("{called}: the data that it was trained on {at}", called=run.called, at=at)
            )
            continue
        source: dict[str, Any] = _source(run, known, place, training_data)
        if grey:
            source["binarised"] = None
        try:
            dataset = load_data(**source)
        except VaelabError as error:
            raise TrainingDataError(
                translated(
                    "{named}, which {called} was trained on: {error}", named=named, called=run.called, error=error
                )
            ) from error
        if not grey:
            check_same(run, dataset, named)
        return RunData(dataset, source=source)
    assert missing is not None
    raise missing


def _places(known: Fingerprint | None, name: str) -> list[str]:
    """Where the data may be: where they were, and at the same path from here (a project that was moved as a whole)."""
    was = None if known is None else known.place
    if was is None or name in NAMES or str(Path(name).expanduser().resolve()) == was:
        return [name]
    return [was, name] if Path(was).exists() else [name, was]


def _source(run: Run, known: Fingerprint | None, place: str, training_data: str | None) -> dict[str, Any]:
    source = run.config.data.source
    if source["binarised"] is None:
        return source | {"name_or_path": place}
    name = Path(source["binarised"]).expanduser()
    candidates = [name]
    if known is not None and known.static_file is not None:
        candidates.append(Path(known.static_file))
    if training_data is not None:
        candidates.append(Path(training_data).expanduser().parent / name.name)
    return source | {"name_or_path": place, "binarised": next((path for path in candidates if path.is_file()), name)}


# --- arrays -------------------------------------------------------------------------------------------------------------------------


def _kept(run: Run) -> RunData:
    """The sample of a saved estimator."""
    train, validation, names = read_sample(run.sample_file)
    known = run.fingerprint()
    total = known.parts["train"].images if known is not None else len(train)
    held_out = known.parts["validation"].images if known is not None else len(validation)
    whole = len(train) == total and len(validation) == held_out
    found = arrays_data(
        train,
        validation,
        names,
        name=ARRAYS if whole else f"a sample of {ARRAYS}",
        origin=f"handed to fit, and kept in {run.sample_file}",
    )
    notes = []
    if not whole:
        held = (
            to_translate(" and {kept:,} of {all:,} validation images", kept=len(validation), all=held_out)
            if held_out
            else ""
        )
        notes.append(
            to_translate(
                "keeps {kept:,} of its {all:,} training images{held}, and what needs data rests on these",
                kept=len(train),
                all=total,
                held=held,
            )
        )
    if not len(validation):
        notes.append(to_translate("no image was held out, so its training images stand in for test images"))
    return replace(found, note=_note(run.name, notes))


def _note(name: str, notes: list[Words]) -> str:
    if len(notes) == 2:
        return to_translate("{name}: {first}; {second}", name=name, first=notes[0], second=notes[1])
    return to_translate("{name}: {note}", name=name, note=notes[0]) if notes else ""


def _arrays(run: Run, place: str | None) -> RunData:
    """The arrays that an estimator was fitted on, found in a file of the user's: all of it, or its training part."""
    if place is None:
        todo = in_words(
            command=translated(
                "--training-data FILE (.npz, .npy) brings them back, other images are given as DATA or --data"
            ),
            python=translated(
                "vaelab.load(run, training_data='FILE.npz') brings them back, other images are given as X"
            ),
        )
        raise TrainingDataError(
            translated(
                "{called}: was fitted on arrays and keeps none of them; {todo}, and save(folder, images=2000) "
                "keeps a sample",
                called=run.called,
                todo=todo,
            )
        )
    known, whole = run.fingerprint(), _whole(place)
    if known is None:
        return whole
    found = Fingerprint.of(whole.dataset)
    if found.parts["train"].digest == known.parts["train"].digest:
        return _held_out_as_known(whole, known)
    for joined in (False, True):
        try:
            dataset = load_data(place)
        except VaelabError:  # too few images to be split
            break
        train = dataset.train_and_validation if joined else dataset.train
        if PartPrint.of(train).digest == known.parts["train"].digest:
            return _held_out_as_known(RunData(replace(dataset, train=train)), known)
    difference = known.difference(found, ("train",)) or translated("the same images in another order")
    raise TrainingDataError(
        translated(
            "--training-data {place}: not the arrays that {called} was fitted on: {difference}",
            place=place,
            called=run.called,
            difference=difference,
        )
    )


def _whole(place: str) -> RunData:
    """What a source brings, with nothing held out of its training part."""
    name, parts, licence, origin = read_parts(place, None, None)
    validation = _none_of(parts.train) if parts.validation is None else parts.validation
    test, split = parts.train, "training"
    if parts.test is not None:
        test, split = parts.test, "test"
    elif parts.validation is not None:
        test, split = parts.validation, "validation"
    return RunData(Dataset(name, parts.train, validation, test, parts.label_names, licence, origin), split)


def _held_out_as_known(found: RunData, known: Fingerprint) -> RunData:
    """With no validation images but those that `fit` was given."""
    dataset = found.dataset
    if PartPrint.of(dataset.validation).digest == known.parts["validation"].digest:
        return found
    return replace(found, dataset=replace(dataset, validation=_none_of(dataset.train)))


def _none_of(part: Split) -> Split:
    return Split(part.images[:0], None if part.labels is None else part.labels[:0])
