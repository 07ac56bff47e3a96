"""`vaelab sample`: images from nothing but the prior."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli.options import Overwrite, PriorName, RunName, Seed, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

if TYPE_CHECKING:
    import numpy as np

    from vaelab.model import Model
    from vaelab.runs import Run


EACH = "each"
"""`--label each`: a row for every label. A label of this name is asked for by its number."""


def sample(
    run: RunName,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help=translated("How many images."))] = 100,
    out: Annotated[
        Path,
        typer.Option(
            help=translated(
                "NAME.png: one sheet; NAME.npz: arrays images and z; a name without an ending: a folder of PNGs."
            )
        ),
    ] = Path("samples.png"),
    prior: PriorName = "trained",
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help=translated(
                "Only images of this label, of a model or a prior that knows labels; each: a row for every label, down which the draw "
                "stays the same."
            ),
        ),
    ] = None,
    balanced: Annotated[
        bool,
        typer.Option(
            "--balanced", help=translated("Each label equally often, instead of as often as among the training images.")
        ),
    ] = False,
    seed: Seed = 0,
    temperature: Annotated[
        float, typer.Option(help=translated("Below 1: nearer to the middle of the prior's Gaussians, and more alike."))
    ] = 1.0,
    pixels: Annotated[
        bool, typer.Option("--pixels", help=translated("Draw x ~ p(x|z) pixel by pixel, instead of showing its mean."))
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Generate images: draw z from the prior and decode it."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    if prior == "trained" and not opened.config.model.posterior.has_density:
        fitted = opened.prior_names()
        todo = (
            to_translate("One is fitted to its codes: --prior {names}", names=translated(" or ").join(fitted))
            if fitted
            else to_translate(
                "Fit one to its codes with: {fit}, then: vaelab sample {run} --prior mixture",
                fit=opened.fit_prior_command,
                run=run,
            )
        )
        raise VaelabError(translated("{run}: an autoencoder has no prior to sample from. {todo}", run=run, todo=todo))
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    import numpy as np

    from vaelab.generating import decode, draw_pixels
    from vaelab.generating.files import output_kind, write_images
    from vaelab.generating.sampling import check_label, sampled
    from vaelab.model_file import label_names, label_number, load_model

    model = load_model(opened, prior)
    output_kind(out, model.image_shape)
    names = label_names(opened)
    each = label == EACH
    number = None if label is None or each else label_number(opened, label)
    asked = each or balanced or number is not None
    if asked and prior == "trained" and not model.is_conditional and model.prior.labels is None:
        prior = prior_that_knows_labels(opened) or prior
        model = load_model(opened, prior)
    if number is not None:
        check_label(model, number, names)
    columns = None
    if each:
        z, labels = row_for_each_label(model, count, seed=seed, temperature=temperature)
        columns, count = int((labels == labels[0]).sum()), len(labels)
    else:
        z, labels = sampled(model, count, seed=seed, label=number, balanced=balanced, temperature=temperature)
    decoded_given = labels if model.is_conditional else None
    images = draw_pixels(model, z, decoded_given, seed=seed) if pixels else decode(model, z, decoded_given)
    arrays = {"z": z, "seed": np.asarray(seed)}
    if labels is not None:
        arrays["labels"] = labels
    write_images(out, images, columns=columns, arrays=arrays)
    of_label = "" if label is None else to_translate(" of label {label}", label=label)
    if each:
        of_label = to_translate(
            ", {columns} a row for each of {rows} labels", columns=columns, rows=count // (columns or 1)
        )
    elif balanced:
        of_label = to_translate(", each label equally often")
    elif model.is_conditional and number is None:
        of_label = to_translate(", labels as frequent as in training")
    drawn = to_translate("drawn pixel by pixel") if pixels else to_translate("decoder means")
    typer.echo(
        translated(
            "{out}: {count:,} samples{of_label} from prior {prior} (seed {seed}, {drawn})",
            out=out,
            count=count,
            of_label=of_label,
            prior=prior,
            seed=seed,
            drawn=drawn,
        )
    )


def row_for_each_label(
    model: "Model", count: int, *, seed: int, temperature: float
) -> tuple["np.ndarray", "np.ndarray"]:
    """Draws in rows, one for every label, `count` in all or the next multiple; draw i of each row is the same but for its label.

    Raises:
        VaelabError: where nothing knows labels.
    """
    import numpy as np

    from vaelab.generating.sampling import known_labels, no_labels, sampled

    known = known_labels(model)
    if known is None:
        raise VaelabError(no_labels())
    columns = -(-count // len(known))
    rows = [sampled(model, columns, seed=seed, label=label, temperature=temperature).z for label in known]
    return np.concatenate(rows), np.repeat(np.asarray(known, np.int32), columns)


def prior_that_knows_labels(run: "Run") -> str | None:
    """The one fitted prior that has a density a label, for a model whose own has none; None where no prior has.

    Raises:
        VaelabError: where several have, for then it must be said which.
    """
    from vaelab.prior_file import read_prior

    known = [name for name in run.prior_names() if read_prior(run.prior_file(name))[0].labels is not None]
    if len(known) > 1:
        raise VaelabError(
            translated(
                "--label: {count} priors of {name} know labels; choose one: --prior {names}",
                count=len(known),
                name=run.name,
                names=translated(" or ").join(known),
            )
        )
    return known[0] if known else None
