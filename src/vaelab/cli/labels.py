"""The label that `--label` asks a model for, and the labels of the images that a command reads."""

from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.language import translated

if TYPE_CHECKING:
    import numpy as np

    from vaelab.data import Split
    from vaelab.model import Model
    from vaelab.runs import Run


AsLabel = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        show_default=False,
        help=translated("Of a model that sees labels: the images' label, where it is not their own."),
    ),
]


def label_asked(run: "Run", model: "Model", label: str | None) -> int | None:
    """The number of the label that was asked for; None where none was.

    Raises:
        VaelabError: for a label that is none or that training never saw, or asked of a model that sees none.
    """
    from vaelab.labels import check_conditional, check_known
    from vaelab.model_file import label_names, label_number

    if label is None:
        return None
    check_conditional(model)
    number = label_number(run, label)
    check_known(model, number, label_names(run))
    return number


def labels_of(run: "Run", model: "Model", split: "Split", label: str | None, count: int) -> "np.ndarray | None":
    """A label for each of the first `count` images: the one that was asked for, else their own; None where none is known.

    Raises:
        VaelabError: as `label_asked`.
    """
    import numpy as np

    number = label_asked(run, model, label)
    if number is not None:
        return np.full(count, number)
    return None if split.labels is None else np.asarray(split.labels[:count])
