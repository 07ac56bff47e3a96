"""`vaelab summary`: the layers of a run or a recipe."""

from typing import Annotated

import typer

from vaelab.cli import completion
from vaelab.language import to_translate, translated

COLUMNS = (
    to_translate("layer"),
    to_translate("kind"),
    to_translate("output shape"),
    to_translate("parameters"),
    to_translate("multiplications"),
)


def summary(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help=translated("A run folder, or pretrained:tutorial."), autocompletion=completion.runs
        ),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help=translated("A recipe, where no run is given."), autocompletion=completion.recipes)
    ] = "tutorial",
) -> None:
    """Print a model's layers, their output shapes, parameters and the multiplications of one image."""
    import jax.random as jr
    from rich.console import Console
    from rich.table import Table

    from vaelab.building import build_model
    from vaelab.config import load_recipe
    from vaelab.data import load_data
    from vaelab.model_file import load_model
    from vaelab.runs import Run
    from vaelab.summary import summarise

    if run is not None:
        model, title = load_model(Run.open(run)), run
    else:
        config = load_recipe(recipe)
        shape = config.model.image_shape or load_data(config.data.name).image_shape
        model, title = (
            build_model(config.model.model_copy(update={"image_shape": shape}), jr.key(0)),
            translated("recipe {recipe}", recipe=recipe),
        )
    found = summarise(model)
    console = Console()
    for part, layers in found.parts.items():
        table = Table(*map(translated, COLUMNS), title=f"{part} ({title})", title_justify="left")
        for column in table.columns[3:]:
            column.justify = "right"
        for layer in layers:
            shape = "" if layer.output_shape is None else str((None, *layer.output_shape))
            table.add_row(layer.name, layer.kind, shape, f"{layer.parameters:,}", _count(layer.multiplications))
        table.add_section()
        table.add_row(part, "", "", f"{found.parameters_of(part):,}", _count(found.multiplications_of(part)))
        console.print(table)
    total = found.trainable + found.fixed
    console.print(
        translated(
            "total      {total:,} ({megabytes:.2f} MB)\ntrainable  {trainable:,}\nnot trainable  {fixed:,}",
            total=total,
            megabytes=total * 4 / 2**20,
            trainable=found.trainable,
            fixed=found.fixed,
        )
    )


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
