"""`vaelab fit-prior`: mend the prior of a trained model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import Overwrite, RunName, Seed, TrainingDataPath
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

if TYPE_CHECKING:
    from vaelab.fitting import FittedPrior


def fit_prior(
    run: RunName,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help=translated("mixture, kde, flow or second-stage."),
            show_default=False,
            autocompletion=completion.fitted_priors,
        ),
    ] = "mixture",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help=translated("What to call it. Default: KIND."), show_default=False)
    ] = None,
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class", help=translated("One density for each label, so that sample --label 7 draws sevens.")
        ),
    ] = False,
    components: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help=translated("How many Gaussians a mixture has. Default: by held-out likelihood."),
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.safetensors",
            help=translated("Write it there, and not into the run; --prior FILE.safetensors uses it."),
            show_default=False,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Fit a density to the latents of the training images, and keep it beside the model as another prior."""
    from vaelab.fitting.names import check_kind, default_name
    from vaelab.prior_file import checked_name
    from vaelab.runs import Run

    opened = Run.open(run)
    check_kind(kind)
    if components is not None and components < 1:
        raise VaelabError(translated("--components {components}: expected 1 or more", components=components))
    called = (
        checked_name(name) if name else default_name(kind, by_class=by_class, latent_dim=opened.config.model.latent_dim)
    )
    if out is not None and (out.suffix != ".safetensors" or name is not None):
        raise VaelabError(
            translated(
                "--out {out}: expected one file name that ends in .safetensors, and no --name beside it", out=out
            )
        )
    if out is None and opened.is_packaged:
        raise VaelabError(
            translated(
                "{run}: lies in the package, which is not written to; add --out FILE.safetensors, and use it by "
                "--prior FILE.safetensors",
                run=run,
            )
        )
    path = out or opened.prior_file(called)
    if path.exists() and not overwrite:
        raise VaelabError(translated("{path}: exists already; choose another --name, or add --overwrite", path=path))

    from vaelab.cli.compilation import use_compilation_cache

    use_compilation_cache()

    import contextlib

    from vaelab.cli.steps import steps
    from vaelab.fitting import fit_prior as fit
    from vaelab.model_file import label_names, load_model
    from vaelab.prior_file import fingerprint, save_prior
    from vaelab.run_data import run_data
    from vaelab.training import TrainingData

    model = load_model(opened)
    names = label_names(opened)
    own = run_data(opened, training_data)
    if own.note:
        typer.echo(translated(own.note), err=True)
    training = TrainingData.from_dataset(own.dataset, opened.config.data)
    with contextlib.nullcontext() if out is not None else opened.locked():
        what = to_translate("fitting a {kind} prior to the latents of {name}", kind=kind, name=opened.name)
        with steps(quiet=False) as on_progress:
            on_progress(what, 0, 1)
            fitted = fit(
                model,
                training.images,
                kind,
                labels=training.labels,
                by_class=by_class,
                components=components,
                pixels=opened.config.data.pixels,
                seed=seed,
                label_names=names,
            )
            on_progress(what, 1, 1)
        save_prior(path, fitted.prior, {**fitted.facts(), "encoder": fingerprint(model.encoder)})
    print_fit(fitted, path, run, str(out) if out is not None else called, names)


def print_fit(fitted: "FittedPrior", path: Path, run: str, called: str, names: tuple[str, ...] | None = None) -> None:
    """What was chosen, what it is worth, the time, and what to do next."""
    for part in translated(fitted.words).split(translated("; ")):
        typer.echo(f"  {part}")
    if len(fitted.tried) > 1:
        typer.echo(
            translated("  chosen by held-out draws ({chosen}, mean log-likelihood in nats):", chosen=fitted.chosen)
        )
        best = max(score for _, score in fitted.tried)
        for candidate, score in fitted.tried:
            typer.echo(f"    {candidate:>5}  {score:9.4f}{'  <-' if score == best else ''}")
    for note in fitted.notes:
        typer.echo(f"  {translated(note)}")
    exact = to_translate("at least ") if fitted.prior.scoring == "bound" else ""
    typer.echo(
        translated(
            "  draws of {held_out_images:,} held-out images: {exact}{held_out:.3f} nats, {normal:.3f} under "
            "{beside}; a gain of {gain:.3f} ± {gain_standard_error:.3f} (over images)",
            held_out_images=fitted.held_out_images,
            exact=exact,
            held_out=fitted.held_out,
            normal=fitted.normal,
            beside=fitted.beside,
            gain=fitted.gain,
            gain_standard_error=fitted.gain_standard_error,
        )
    )
    typer.echo(
        translated(
            "  {images:,} draws of q(z|x) of training images, seed {seed}, {seconds:.1f} s",
            images=fitted.images,
            seed=fitted.seed,
            seconds=fitted.seconds,
        )
    )
    label = ""
    if fitted.prior.labels:
        last = fitted.prior.labels[-1]
        label = f" --label {names[last] if names else last}"
    typer.echo(
        translated(
            "{path}: now use it, e.g. vaelab sample {run} --prior {called}{label}, or vaelab evaluate {run} "
            "--prior {called}",
            path=path,
            run=run,
            called=called,
            label=label,
        )
    )
