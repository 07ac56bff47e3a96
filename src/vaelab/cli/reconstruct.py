"""`vaelab reconstruct`: images through the latent space and back."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.inputs import PartName, input_images
from vaelab.cli.options import DataName, Overwrite, RunName, TrainingDataPath, output_path
from vaelab.language import translated

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
    split, name = input_images(opened, model, data, part, training_data)
    chosen = slice(0, count or (SHEET_COUNT if kind == "sheet" else None))
    images = reconstruct_images(model, split.images[chosen])
    originals = as_seen(split.images[chosen])
    if kind == "sheet":
        write_images(out, paired_rows(originals, images, COLUMNS), columns=min(COLUMNS, len(images)))
    else:
        labels = {} if split.labels is None else {"labels": np.asarray(split.labels[chosen])}
        write_images(out, images, arrays={"originals": originals, **labels})
    typer.echo(translated("{out}: {images:,} images of {name}, reconstructed", out=out, images=len(images), name=name))
