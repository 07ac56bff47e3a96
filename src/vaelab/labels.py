"""Labels at the doors of a conditional model: each image's own, or one for all; and what is said where there is none, or a wrong one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Int32

from vaelab.door import in_words
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model


def labels_given(
    model: Model, labels: Int[np.ndarray, " labels"] | int | None, count: int
) -> tuple[()] | tuple[Int32[np.ndarray, " n"]]:
    """The labels of `count` images as an argument more, or as none for a model that sees no labels; one label stands for all.

    Raises:
        VaelabError: for a conditional model without labels, another number of them than of images, and a label that it was not trained
            with.
    """
    if not model.is_conditional:
        return ()
    if labels is None:
        raise VaelabError(
            translated(
                "this model was trained with labels (model.condition = 'labels'), so images are encoded and decoded given theirs; found no "
                "labels"
            )
        )
    given = (
        np.broadcast_to(np.asarray(labels, np.int32), (count,))
        if np.ndim(labels) == 0
        else np.asarray(labels, np.int32)
    )
    if given.shape != (count,):
        raise VaelabError(
            translated(
                "expected one label for each of {count:,} images; found {found:,}", count=count, found=len(given)
            )
        )
    unknown = np.setdiff1d(given, model.labels)
    if len(unknown):
        check_known(model, int(unknown[0]))
    return (given,)


def check_known(model: Model, label: int, names: Sequence[str] | None = None) -> None:
    """Refuse a label that a conditional model was not trained with; `names[label]` is what the user calls it, where it has a name.

    Raises:
        VaelabError: saying which labels it knows.
    """
    if label in model.labels:
        return
    raise VaelabError(
        translated(
            "label {name}: the model was trained with none such; known: {known}",
            name=called(label, names),
            known=", ".join(called(known, names) for known in model.labels),
        )
    )


def check_conditional(model: Model) -> None:
    """Refuse a label for a model that sees none.

    Raises:
        VaelabError: saying how to train one that does.
    """
    if model.is_conditional:
        return
    raise VaelabError(
        in_words(
            command=translated("this model sees no labels; train one that does with: vaelab train --condition labels"),
            python=translated("y: this model sees no labels; train one that does: VAE(condition='labels').fit(X, y)"),
        )
    )


def called(label: int, names: Sequence[str] | None) -> str:
    """What a user calls a label: its name, or its number."""
    return names[label] if names is not None and 0 <= label < len(names) else str(label)
