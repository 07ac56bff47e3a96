"""`vaelab train`: the main job."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaelab.cli import completion
from vaelab.errors import VaelabError
from vaelab.language import plural, to_translate, translated

if TYPE_CHECKING:
    from vaelab.config import Config
    from vaelab.evaluation.material import Material
    from vaelab.training import Stopped, TrainingResult

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help=translated("mnist, digits, fashion-mnist, kmnist, or the path of a file or folder of yours."),
            autocompletion=completion.data_sets,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help=translated("A named model: tutorial (the default), autoencoder, better, …"),
            autocompletion=completion.recipes,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help=translated("A configuration of your own, instead of a recipe.")),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=translated("The run folder. Default: runs/RECIPE-DATA."))
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help=translated("Go on with a run that was stopped, exactly."),
            autocompletion=completion.runs,
        ),
    ] = None,
    training_data: Annotated[
        str | None,
        typer.Option(
            "--training-data",
            metavar="PATH",
            help=translated("With --resume: where the data of the run are now."),
            autocompletion=completion.data_sets,
        ),
    ] = None,
    latent_dim: Annotated[int | None, typer.Option(help=translated("Dimensions of the latent space."))] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("mlp, convolutional or residual: both networks, as deep as the images' size asks for."),
            autocompletion=completion.kinds_of("model.encoder.kind"),
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(metavar="300,300", help=translated("Widths of the encoder; the decoder's are reversed.")),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help=translated("Passes over the training images."))] = None,
    batch_size: Annotated[int | None, typer.Option(help=translated("Images per step."))] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help=translated("The optimiser's step size, at its highest."))
    ] = None,
    beta: Annotated[float | None, typer.Option(help=translated("The weight of the KL term."))] = None,
    posterior: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("The family of q(z|x), such as full-gaussian or inverse-autoregressive."),
            autocompletion=completion.kinds_of("model.posterior.kind"),
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("normal, mixture, vamp, flow or class."),
            autocompletion=completion.kinds_of("model.prior.kind"),
        ),
    ] = None,
    likelihood: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated(
                "bernoulli, continuous-bernoulli, gaussian, laplace, discretised-logistic, logistic-mixture or categorical. Default: "
                "bernoulli; discretised-logistic for colour images."
            ),
            autocompletion=completion.kinds_of("model.likelihood.kind"),
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated(
                "What is minimised: elbo, importance-weighted, total-correlation, mmd, … (docs/combinations.md). Its own settings by --set."
            ),
            autocompletion=completion.kinds_of("objective.kind"),
        ),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("labels: encoder, decoder and prior see each image's label, and a seven can be asked for."),
            autocompletion=completion.kinds_of("model.condition"),
        ),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("grey, dynamic, threshold or static."),
            autocompletion=completion.kinds_of("data.pixels"),
        ),
    ] = None,
    static_file: Annotated[
        Path | None,
        typer.Option(
            "--static-file",
            metavar="FILE",
            help=translated("DATA's images binarised once (--pixels static): .npz, .npy or .amat."),
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="SIDE", help=translated("Bring a folder's images to SIDE x SIDE, or to H,W."))
    ] = None,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help=translated("Leave out a folder's files that cannot be read, and name them.")),
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help=translated("The seed of everything that is drawn at random."))
    ] = None,
    set_values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help=translated("Any key of the configuration, e.g. training.optimiser=adam."),
            autocompletion=completion.settings,
        ),
    ] = None,
    figures: Annotated[
        bool, typer.Option(help=translated("Look at the run at the end: draw its figures, check its prior."))
    ] = True,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help=translated(
                "Print parameters, memory and the time of an epoch by a few steps; train and write nothing."
            ),
        ),
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help=translated("Also write TensorBoard events (an extra)."))
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=translated("Print the last line only."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=translated("Print one JSON object per epoch."))] = False,
) -> None:
    """Train a VAE (by default the tutorial's, on MNIST) and draw what it learnt."""
    flags: dict[str, Any] = {
        "data.name": data,
        "data.pixels": pixels,
        "data.static_file": None if static_file is None else str(static_file),
        "data.size": None if size is None else _size(size),
        "data.skip_bad": skip_bad or None,
        "model.latent_dim": latent_dim,
        "model.encoder.kind": network,
        "model.decoder.kind": network,
        "model.posterior.kind": posterior,
        "model.prior.kind": prior,
        "model.likelihood.kind": likelihood,
        "model.condition": condition,
        "objective.kind": objective,
        "objective.beta": beta,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.learning_rate": learning_rate,
        "seed": seed,
    }
    if static_file is not None and pixels is None:
        flags["data.pixels"] = "static"
    changes = {key: value for key, value in flags.items() if value is not None}
    if hidden is not None:
        widths = _widths(hidden)
        changes |= {"model.encoder.hidden": widths, "model.decoder.hidden": widths[::-1]}
    changes |= dict(_split_setting(text) for text in set_values or [])
    if resume is not None:
        if changes or recipe or config or out or dry_run:
            raise VaelabError(
                translated(
                    "--resume goes on exactly as the run was begun; leave the other options out, or begin a new run"
                )
            )
        _resume(resume, training_data, figures=figures, tensorboard=tensorboard, quiet=quiet, as_json=as_json)
        return
    if training_data is not None:
        raise VaelabError(
            translated(
                "--training-data goes with --resume and says where the data of the run are now; a new run is given its data as DATA"
            )
        )
    if recipe is not None and config is not None:
        raise VaelabError(translated("--recipe and --config each name a whole configuration; give one of them"))

    from vaelab.config import load_config, load_recipe

    chosen = load_config(config) if config is not None else load_recipe(recipe or "tutorial")
    # what neither a recipe that was asked for nor the command says of the likelihood, the data may
    named = (recipe is not None or config is not None) and "likelihood" in chosen.model.model_fields_set
    chosen_likelihood = named or any(key.startswith("model.likelihood") for key in changes)
    chosen = chosen.with_values(changes, source="command line")
    if dry_run:
        from vaelab.cli.rehearsal import print_rehearsal

        _, seen, resolved = _prepared(chosen, lambda: _read(chosen), by_data=not chosen_likelihood)
        print_rehearsal(chosen, resolved, seen, as_json=as_json)
        return
    _train_new(
        chosen,
        out,
        by_data=not chosen_likelihood,
        figures=figures,
        tensorboard=tensorboard,
        quiet=quiet,
        as_json=as_json,
    )


def _widths(text: str) -> list[int]:
    try:
        return [int(width) for width in text.split(",") if width.strip()]
    except ValueError:
        raise VaelabError(translated("--hidden: expected widths such as 300,300; found '{text}'", text=text)) from None


def _size(text: str) -> int | list[int]:
    sides = [int(side) for side in text.replace("x", ",").split(",") if side.strip().isdecimal()]
    if len(sides) != text.replace("x", ",").count(",") + 1 or len(sides) > 2 or 0 in sides:
        raise VaelabError(
            translated(
                "--size: expected a side in pixels, such as 32, or a height and a width, such as 30,45; found '{text}'",
                text=text,
            )
        )
    return sides[0] if len(sides) == 1 else sides


def _split_setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise VaelabError(
            translated("--set: expected KEY=VALUE, such as training.learning_rate=3e-4; found '{text}'", text=text)
        )
    return key.strip(), value.strip()


def _train_new(config: "Config", out: Path | None, *, by_data: bool, tensorboard: bool, **options: bool) -> None:
    if tensorboard:
        from vaelab.training.tensorboard import check_tensorboard

        check_tensorboard()

    (dataset, known), data, resolved = _prepared(config, lambda: _read(config), by_data=by_data)

    from vaelab.runs import Run, free_folder
    from vaelab.training.beginning import begin, said_of

    # whatever a configuration can be refused for is, before there is a folder for it
    begun = begin(resolved, data)
    for words in said_of(config, resolved):
        typer.echo(words, err=True)
    label = config.recipe or "run"
    run = Run.create(out or free_folder(f"{label}-{dataset.name}"), resolved, known)
    with run.locked():
        _train_in(run, dataset, data, begun=begun, tensorboard=tensorboard, **options)


def _read(config: "Config") -> tuple[Any, Any]:
    """The data that a configuration names, and their fingerprint."""
    from vaelab.data import Fingerprint, load_data

    dataset = load_data(**config.data.source)
    return dataset, Fingerprint.of(dataset, config.data.name, config.data.source["binarised"])


def _resume(folder: Path, training_data: str | None, **options: bool) -> None:
    from vaelab.run_data import is_of_arrays, run_data
    from vaelab.runs import Run

    run = Run.open(folder)
    if is_of_arrays(run):
        raise VaelabError(
            translated(
                "--resume {folder}: an estimator was saved there, not a training; fit it on: "
                "vaelab.load('{folder}').fit(X)",
                folder=folder,
            )
        )
    with run.locked():
        known = run.fingerprint()
        if known is None:
            typer.echo(
                translated(
                    "{called}: begun by an earlier vaelab, so whether its data are still the same is not checked",
                    called=run.called,
                ),
                err=True,
            )
        (dataset, _), data, _ = _prepared(run.config, lambda: (run_data(run, training_data).dataset, known))
        _train_in(run, dataset, data, **options)


def _prepared(
    config: "Config", read: "Callable[[], tuple[Any, Any]]", *, by_data: bool = False
) -> tuple[Any, Any, "Config"]:
    """What was read, what training sees of it, and the configuration resolved by it. Data are read while JAX is imported.

    `by_data`: nobody chose a likelihood, so the images may.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        from vaelab.cli.compilation import use_compilation_cache
        from vaelab.training import TrainingData
        from vaelab.training.beginning import resolve
        from vaelab.training.defaults import usual_likelihood

        use_compilation_cache()
        found = reading.result()
    data = TrainingData.from_dataset(found[0], config.data)
    usual = usual_likelihood(data.images) if by_data else None
    if usual is not None:
        typer.echo(
            translated(
                "colour images: the likelihood is {likelihood}, over their 256 levels; another one by --likelihood",
                likelihood=usual,
            ),
            err=True,
        )
        config = config.with_values({"model.likelihood.kind": usual}, source="the data")
    return found, data, resolve(config, data)


def _train_in(
    run: Any,
    dataset: Any,
    data: Any,
    *,
    begun: Any = None,
    figures: bool,
    tensorboard: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    from vaelab.cli.environment import write_environment
    from vaelab.cli.progress import reporter
    from vaelab.training import Outcome, Stopped, train

    write_environment(run)
    stop = Stopped()
    facts = {"data": dataset.name, "label_names": dataset.label_names}
    with _signals(stop) as received, reporter(run, quiet=quiet, as_json=as_json, tensorboard=tensorboard) as on_epoch:
        result = train(run.config, data, run=run, begun=begun, facts=facts, on_epoch=on_epoch, stop=stop)
    if result.outcome is Outcome.INTERRUPTED:
        epochs = len(result.history)
        typer.echo(
            translated(
                "stopped after epoch {epochs}, and saved; go on with: vaelab train --resume {folder}",
                epochs=epochs,
                folder=run.folder,
            ),
            err=True,
        )
        raise typer.Exit(EXIT_CODES[received[0]])
    from vaelab.cli.steps import steps
    from vaelab.evaluation.material import Material

    with steps(quiet=quiet or as_json) as on_progress:
        # what was trained and on what is in memory: nothing is read again
        material = Material(run, dataset=dataset, model=result.model)
        if figures:
            from vaelab.plotting.writing import write_figures_of

            on_progress(to_translate("figures"), 0, 1)
            write_figures_of(material, say=lambda words: typer.echo(words, err=True))
            on_progress(to_translate("figures"), 1, 1)
        on_progress(to_translate("looking it over"), 0, 1)
        words = "" if as_json else _closing_line(run, material, result, figures)
        on_progress(to_translate("looking it over"), 1, 1)
    if words:
        typer.echo(words)


@contextmanager
def _signals(stop: "Stopped") -> Iterator[list[signal.Signals]]:
    """While training: Ctrl-C and SIGTERM ask it to stop and save. What was received is in the list."""
    received: list[signal.Signals] = []

    def ask(number: int, frame: object) -> None:
        del frame
        received.append(signal.Signals(number))
        stop.request()
        if stop.requests == 1:
            print(f"\n{translated('stopping after this epoch; once more to stop at once')}", file=sys.stderr)

    before = {number: signal.signal(number, ask) for number in EXIT_CODES}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _closing_line(run: Any, material: "Material", result: "TrainingResult", figures: bool) -> str:
    """One sentence of result, and what to do next."""
    from vaelab.evaluation.doctor import closing_sentence

    last = result.history[result.kept_epoch - 1]
    score = f"val_loss {last['val_loss']:.2f}" if "val_loss" in last else f"loss {last['loss']:.2f}"
    found = closing_sentence(material) if figures else ""
    look = translated("see {figures}, or: ", figures=run.figures) if figures else ""
    after = "vaelab sample" if run.config.model.posterior.has_density else "vaelab reconstruct"
    done = translated(
        plural(
            "{score} after {count} epoch in {seconds:.0f} s",
            "{score} after {count} epochs in {seconds:.0f} s",
            result.kept_epoch,
            score=score,
            seconds=result.seconds,
        )
    )
    return translated("; ").join(filter(None, (done, found, f"{look}{after} {run.folder}")))
