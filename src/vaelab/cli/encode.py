"""`vaelab encode`: images to points of the latent space."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.inputs import PartName, input_images
from vaelab.cli.labels import AsLabel, labels_of
from vaelab.cli.options import DataName, Overwrite, RunName, Seed, TrainingDataPath, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated


def encode(
    run: RunName,
    data: DataName = None,
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.npz: arrays mean, log_variance, draw (its seed beside it), and labels where there are some."
            )
        ),
    ] = Path("z.npz"),
    part: PartName = None,
    label: AsLabel = None,
    training_data: TrainingDataPath = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Encode images (grey values, also for a run on dynamic pixels): mean, log-variance and one draw of q(z|x)."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    if out.suffix.lower() != ".npz":
        raise VaelabError(translated("{out}: expected a name ending in .npz", out=out))
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.generating import encode as encode_images
    from vaelab.generating.files import write_arrays
    from vaelab.model_file import load_model

    model = load_model(opened)
    split, name = input_images(opened, model, data, part, training_data)
    labels = labels_of(opened, model, split, label, len(split))
    encoded = encode_images(model, split.images, labels, seed=seed)
    arrays = {"mean": encoded.mean, "draw": encoded.draw, "seed": np.asarray(seed)}
    if encoded.log_variance is not None:
        arrays["log_variance"] = encoded.log_variance
    if labels is not None:
        arrays["labels"] = labels
    write_arrays(out, arrays)
    spread = (
        to_translate("mean, log_variance and one draw")
        if encoded.log_variance is not None
        else to_translate("the code (mean and draw are equal)")
        if np.array_equal(encoded.mean, encoded.draw)
        else to_translate("the centre and one draw")
    )
    labelled = to_translate(", with labels") if labels is not None else ""
    if label is not None:
        labelled = to_translate(", given the label {label}", label=label)
    elif model.is_conditional:
        labelled = to_translate(", given their labels")
    typer.echo(
        translated(
            "{out}: {spread} (seed {seed}) of {images:,} images of {name}{labelled}",
            out=out,
            spread=spread,
            seed=seed,
            images=len(split),
            name=name,
            labelled=labelled,
        )
    )
