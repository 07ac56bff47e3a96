"""`vaelab interpolate`: the way from one image to another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli.labels import label_asked
from vaelab.cli.options import Overwrite, RunName, TrainingDataPath, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from vaelab.data.selection import Item


def interpolate(
    run: RunName,
    between: Annotated[
        tuple[str, str],
        typer.Option(
            metavar="A B", help=translated("Two of label:3 (the most typical), test:12, train:5, or an image file.")
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.png: a strip; NAME.npz: arrays images and z; a name without an ending: a folder of PNGs."
            )
        ),
    ] = Path("strip.png"),
    steps: Annotated[int, typer.Option(min=2, help=translated("Images, both ends included."))] = 12,
    spherical: Annotated[
        bool,
        typer.Option(
            "--spherical", help=translated("Turn about the origin instead of going straight: for many dimensions.")
        ),
    ] = False,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help=translated(
                "Decode the way as this label, by a model that sees labels. Default: the label of both ends, where it is one."
            ),
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help=translated("Where label: and test: look. Default: the run's own data.")),
    ] = None,
    training_data: TrainingDataPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Decode the points between two images' posterior means."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.data import resolve_items
    from vaelab.generating import decode, encode, path_between
    from vaelab.generating.files import output_kind, write_images
    from vaelab.generating.pictures import as_seen
    from vaelab.labels import called
    from vaelab.model_file import label_names, load_model
    from vaelab.run_data import chosen_data

    model = load_model(opened)
    output_kind(out, model.image_shape)
    number = label_asked(opened, model, label)
    source = chosen_data(opened, data, training_data, fitted=model.values)
    if source.note:
        typer.echo(translated(source.note), err=True)
    items = resolve_items(source.dataset, between)
    ends = np.stack([item.image for item in items])
    ends = model.image_spec.taken(ends, translated("{first} and {second}", first=between[0], second=between[1]))
    own, number = labels_of_way(items, number) if model.is_conditional else (None, None)
    first, last = encode(model, ends, own).mean
    spherical = spherical or model.domain == "sphere"
    z = path_between(first, last, steps=steps, spherical=spherical)
    write_images(out, decode(model, z, number), columns=steps, arrays={"z": z, "ends": as_seen(ends)})
    way = to_translate("on a sphere") if spherical else to_translate("straight")
    if number is not None:
        way = to_translate("{way}, decoded as label {label}", way=way, label=called(number, label_names(opened)))
    typer.echo(
        translated(
            "{out}: {steps} images from {first} to {last}, {way}",
            out=out,
            steps=steps,
            first=between[0],
            last=between[1],
            way=way,
        )
    )


def labels_of_way(items: "Sequence[Item]", label: int | None) -> tuple["np.ndarray", int]:
    """The labels that the ends are encoded given, their own or else the one of the way; and the one that the way is decoded as.

    Raises:
        VaelabError: where no label is asked for and the ends have none, or each another.
    """
    import numpy as np

    own = {item.label for item in items}
    if label is None and (len(own) > 1 or None in own):
        raise VaelabError(
            translated(
                "this model sees labels, and a way is decoded as one of them: {first} and {last} have not the same; choose one: --label",
                first=items[0].name,
                last=items[1].name,
            )
        )
    chosen = next(iter(own)) if label is None else label
    assert chosen is not None
    return np.array([chosen if item.label is None else item.label for item in items], np.int32), chosen
