"""`vaelab demo bimodal`: why a single Gaussian is only an assumption."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.options import Overwrite, Seed, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_width, translated

SUFFIXES = (".png", ".svg", ".pdf", ".gif")


def bimodal(
    out: Annotated[Path, typer.Option(help=translated("A .png, .svg or .pdf figure, or a .gif that moves."))] = Path(
        "bimodal.png"
    ),
    separation: Annotated[
        float,
        typer.Option(min=0.0, max=10.0, help=translated("How far the two modes are apart; each has a spread of 0.6.")),
    ] = 5.0,
    samples: Annotated[
        int, typer.Option("--count", "-n", min=10, max=100_000, help=translated("How many samples."))
    ] = 100,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Samples from two modes, the best single Gaussian over both, and the mixture that repairs it."""
    if out.suffix.lower() not in SUFFIXES:
        raise VaelabError(
            translated("--out {out}: expected a name that ends in {suffixes}", out=out, suffixes=", ".join(SUFFIXES))
        )
    output_path(out, overwrite=overwrite)

    import numpy as np

    from vaelab.fitting.bimodal import bimodal as compute
    from vaelab.plotting.bimodal import SMALL, bimodal_figure, write_animation
    from vaelab.plotting.lettering import drawable_language

    data = compute(separation, samples, seed)
    typer.echo(
        translated(
            "  {samples} samples of two modes {separation:g} apart; judged by 10,000 fresh draws (nats per "
            "draw, ± over draws)",
            samples=samples,
            separation=separation,
        )
    )
    for judged in data.all:
        typer.echo(
            translated(
                "  {name} {held_out:8.4f} ± {standard_error:.4f}   {empty_mass:6.1%} of its mass where there "
                "is no sample",
                name=to_width(translated(judged.name), 26),
                held_out=judged.held_out,
                standard_error=judged.standard_error,
                empty_mass=judged.empty_mass,
            )
        )
    typer.echo(
        translated(
            "  no sample: none within {reach:.3f}; 99 % of fresh draws have one that near, so the truth "
            "itself has about 1 %",
            reach=data.reach,
        )
    )
    with drawable_language():
        if out.suffix.lower() == ".gif":
            write_animation([compute(float(apart), samples, seed) for apart in np.linspace(0.0, separation, 31)], out)
        else:
            figure = bimodal_figure(data, tuple(compute(apart, samples, seed) for apart in SMALL))
            figure.savefig(out)
    typer.echo(translated("{out}: now the same on a real run: vaelab plot RUN prior", out=out))
