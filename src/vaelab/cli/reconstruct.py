"""`vaelab reconstruct`: images through the latent space and back."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.inputs import PartName, input_images
from vaelab.cli.labels import label_asked
from vaelab.cli.options import DataName, Overwrite, RunName, TrainingDataPath, output_path
from vaelab.language import to_translate, translated

COLUMNS, SHEET_COUNT = 10, 50


def reconstruct(
    run: RunName,
    data: DataName = None,
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.png: a sheet, originals above reconstructions; NAME.npz: arrays images, originals (both "
                "floats), labels; a name without an ending: a folder of PNGs."
            )
        ),
    ] = Path("reconstructions.png"),
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            help=translated("How many images, from the first on. Default: 50 on a sheet, else all."),
            show_default=False,
        ),
    ] = None,
    part: PartName = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help=translated(
                "Decode as this label, whatever the image's own, by a model that sees labels: the same z, another label."
            ),
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Encode images to the mean of q(z|x), and decode that: what the model keeps of them."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.generating import reconstruct as reconstruct_images
    from vaelab.generating.files import output_kind, write_images
    from vaelab.generating.pictures import as_seen, paired_rows
    from vaelab.model_file import load_model

    model = load_model(opened)
    kind = output_kind(out, model.image_shape)
    number = label_asked(opened, model, label)
    split, name = input_images(opened, model, data, part, training_data)
    chosen = slice(0, count or (SHEET_COUNT if kind == "sheet" else None))
    own = number if split.labels is None else split.labels[chosen]  # an image without one is encoded as it is decoded
    images = reconstruct_images(model, split.images[chosen], own, as_labels=number)
    originals = as_seen(split.images[chosen])
    if kind == "sheet":
        write_images(out, paired_rows(originals, images, COLUMNS), columns=min(COLUMNS, len(images)))
    else:
        labels = {} if split.labels is None else {"labels": np.asarray(split.labels[chosen])}
        write_images(out, images, arrays={"originals": originals, **labels})
    how = to_translate("reconstructed")
    if model.is_conditional:
        how = (
            to_translate("reconstructed given their labels")
            if label is None
            else to_translate("encoded given their labels, decoded as {label}", label=label)
        )
    typer.echo(translated("{out}: {images:,} images of {name}, {how}", out=out, images=len(images), name=name, how=how))
