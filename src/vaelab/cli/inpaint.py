"""`vaelab inpaint`: what may have been where an image is hidden."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli.inputs import PartName, input_images
from vaelab.cli.labels import AsLabel, labels_of
from vaelab.cli.options import DataName, Overwrite, PriorName, RunName, Seed, TrainingDataPath, output_path
from vaelab.cli.possible import Draws, HowMany, say_possible, write_possible
from vaelab.errors import VaelabError
from vaelab.language import translated

if TYPE_CHECKING:
    import numpy as np


def inpaint(
    run: RunName,
    data: DataName = None,
    mask: Annotated[
        str,
        typer.Option(
            metavar="FILE|X,Y,W,H",
            help=translated(
                "What is hidden: a picture of the images' size, white where they are; or a rectangle, from its left upper corner, "
                "in pixels."
            ),
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.png: a sheet, a row an image; NAME.npz: arrays images (of each image its draws), originals, hidden, z, distinct."
            )
        ),
    ] = Path("inpainted.png"),
    draws: Draws = 5,
    count: HowMany = 10,
    part: PartName = None,
    label: AsLabel = None,
    prior: PriorName = "trained",
    training_data: TrainingDataPath = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what may have been where images are hidden: z given the visible pixels, several draws side by side."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.cli.steps import steps
    from vaelab.runs import Run

    opened = Run.open(run)
    if not mask:
        raise VaelabError(translated("--mask: expected a file, or a rectangle such as 7,7,14,14; found none"))
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.generating.inpainting import as_mask, inpaint
    from vaelab.generating.pictures import as_seen
    from vaelab.model_file import load_model

    model = load_model(opened, prior)
    hidden = as_mask(_mask(mask, model.image_shape), model.image_shape)
    split, name = input_images(opened, model, data, part, training_data)
    images = split.images[:count]
    with steps(quiet=False) as on_progress:
        found = inpaint(
            model,
            images,
            hidden,
            labels=labels_of(opened, model, split, label, len(images)),
            draws=draws,
            seed=seed,
            on_progress=lambda done, total: on_progress(translated("drawing"), done, total),
        )
    given = np.where(hidden, np.float32(0.5), as_seen(images))
    write_possible(out, given, found, {"originals": as_seen(images), "hidden": hidden})
    say_possible(out, found, name, model, label)


def _mask(text: str, image_shape: tuple[int, ...]) -> "np.ndarray":
    """(height, width), True where hidden."""
    import numpy as np

    from vaelab.data.pictures import UnreadablePicture, open_picture

    if not Path(text).exists() and "," in text:
        numbers = text.split(",")
        if len(numbers) != 4 or not all(number.strip().isdecimal() for number in numbers):
            raise VaelabError(
                translated(
                    "--mask: expected a file, or x,y,width,height in whole pixels, such as 7,7,14,14; found '{text}'",
                    text=text,
                )
            )
        x, y, width, height = map(int, numbers)
        tall, wide = image_shape[:2]
        if x + width > wide or y + height > tall:
            raise VaelabError(
                translated(
                    "--mask: the rectangle {text} leaves the image, which is {wide} wide and {tall} high",
                    text=text,
                    wide=wide,
                    tall=tall,
                )
            )
        hidden = np.zeros((tall, wide), bool)
        hidden[y : y + height, x : x + width] = True
        return hidden
    try:
        picture = open_picture(Path(text))
    except (UnreadablePicture, OSError) as error:
        raise VaelabError(
            translated("--mask: cannot read {text} as a picture ({error})", text=text, error=error)
        ) from None
    return np.asarray(picture.convert("L")) > 127
