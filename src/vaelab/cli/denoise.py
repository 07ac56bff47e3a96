"""`vaelab denoise`: what noisy images may have been."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.inputs import PartName, input_images
from vaelab.cli.labels import AsLabel, labels_of
from vaelab.cli.options import DataName, Overwrite, PriorName, RunName, Seed, TrainingDataPath, output_path
from vaelab.cli.possible import Draws, HowMany, say_possible, write_possible
from vaelab.language import translated


def denoise(
    run: RunName,
    data: DataName = None,
    sigma: Annotated[
        float,
        typer.Option(
            help=translated("The noise's standard deviation, in units of the pixels as the model sees them, 0 to 1.")
        ),
    ] = 0.2,
    add: Annotated[
        bool,
        typer.Option(
            "--add", help=translated("The images are clean: add such noise to them first, to see what comes back.")
        ),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.png: a sheet, a row an image; NAME.npz: arrays images (of each image its draws), noisy, z, distinct."
            )
        ),
    ] = Path("denoised.png"),
    draws: Draws = 5,
    count: HowMany = 10,
    part: PartName = None,
    label: AsLabel = None,
    prior: PriorName = "trained",
    training_data: TrainingDataPath = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what images may have been before noise was added to them: z given the noisy image, several draws side by side."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.cli.steps import steps
    from vaelab.runs import Run

    opened = Run.open(run)
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.generating.inpainting import denoise
    from vaelab.generating.pictures import as_seen
    from vaelab.model_file import load_model

    model = load_model(opened, prior)
    split, name = input_images(opened, model, data, part, training_data, spec=model.image_spec.noisy())
    noisy = as_seen(split.images[:count])
    if add:
        noisy = noisy + np.float32(sigma) * np.random.default_rng(seed).standard_normal(noisy.shape, np.float32)
    with steps(quiet=False) as on_progress:
        found = denoise(
            model,
            noisy,
            sigma,
            labels=labels_of(opened, model, split, label, len(noisy)),
            draws=draws,
            seed=seed,
            on_progress=lambda done, total: on_progress(translated("drawing"), done, total),
        )
    write_possible(out, noisy, found, {"noisy": noisy})
    say_possible(out, found, name, model, label)
