"""`vaelab decode`: points of the latent space to images."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vaelab.cli.labels import label_asked
from vaelab.cli.options import Overwrite, RunName, output_path
from vaelab.language import translated


def decode(
    run: RunName,
    latents: Annotated[
        Path,
        typer.Argument(
            metavar="Z.npz", help=translated("Points (n, latent): from vaelab encode, or an .npz or .npy of your own.")
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help=translated("NAME.npz: array images; NAME.png: one sheet; a name without an ending: a folder of PNGs.")
        ),
    ] = Path("images.npz"),
    array: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=translated("Which array of the file. Default: the first there is of z, mean and draw.")
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help=translated(
                "Decode as this label, by a model that sees labels. Default: the array labels of the file."
            ),
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Decode points of the latent space to images: the mean of p(x|z)."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    from vaelab.generating import check_latents
    from vaelab.generating import decode as decode_latents
    from vaelab.generating.files import output_kind, read_labels, read_latents, write_images
    from vaelab.model_file import load_model

    z, name = read_latents(latents, array)
    model = load_model(opened)
    output_kind(out, model.image_shape)
    check_latents(model, z, f"{latents} ({name})")
    labels: Any = label_asked(opened, model, label)
    if labels is None and model.is_conditional:
        labels = read_labels(latents, len(z))
    write_images(out, decode_latents(model, z, labels), arrays={"z": z})
    typer.echo(
        translated(
            "{out}: {images:,} images decoded from '{name}' of {latents}",
            out=out,
            images=len(z),
            name=name,
            latents=latents,
        )
    )
