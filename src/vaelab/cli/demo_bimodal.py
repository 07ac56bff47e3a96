"""`vaelab demo bimodal`: why a single Gaussian is only an assumption."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.options import Overwrite, Seed, output_path
from vaelab.errors import VaelabError

SUFFIXES = (".png", ".svg", ".pdf", ".gif")


def bimodal(
    out: Annotated[Path, typer.Option(help="A .png, .svg or .pdf figure, or a .gif that moves.")] = Path("bimodal.png"),
    separation: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Of the two modes; each has a spread of 0.6.")
    ] = 5.0,
    samples: Annotated[int, typer.Option("--count", "-n", min=10, max=100_000, help="How many samples.")] = 100,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Samples from two modes, the best single Gaussian over both, and the mixture that repairs it."""
    if out.suffix.lower() not in SUFFIXES:
        raise VaelabError(f"--out {out}: expected a name that ends in {', '.join(SUFFIXES)}")
    output_path(out, overwrite=overwrite)

    import numpy as np

    from vaelab.fitting.bimodal import bimodal as compute
    from vaelab.plotting.bimodal import SMALL, bimodal_figure, write_animation

    data = compute(separation, samples, seed)
    typer.echo(
        f"  {samples} samples of two modes {separation:g} apart; judged by 10,000 fresh draws (nats a draw, ± over draws)"
    )
    for judged in data.all:
        typer.echo(
            f"  {judged.name:26} {judged.held_out:8.4f} ± {judged.standard_error:.4f}"
            f"   {judged.empty_mass:6.1%} of its mass where there is no sample"
        )
    typer.echo(
        f"  no sample: none within {data.reach:.3f}; 99 % of fresh draws have one that near, so the truth itself has about 1 %"
    )
    if out.suffix.lower() == ".gif":
        write_animation([compute(float(apart), samples, seed) for apart in np.linspace(0.0, separation, 31)], out)
    else:
        figure = bimodal_figure(data, tuple(compute(apart, samples, seed) for apart in SMALL))
        figure.savefig(out)
    typer.echo(f"{out}: now the same on a real run: vaelab plot RUN prior")
