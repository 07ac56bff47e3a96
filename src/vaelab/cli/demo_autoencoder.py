"""`vaelab demo autoencoder`: why a latent space needs a prior, as one picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaelab.cli.options import Overwrite, Seed, output_path
from vaelab.errors import VaelabError
from vaelab.language import plural, to_translate, translated

if TYPE_CHECKING:
    import numpy as np

    from vaelab.data import Dataset
    from vaelab.model import Model

COUNTED = 2000
"""So many points are drawn from each plane and counted by digit; the first of them are shown."""


def autoencoder(
    out: Annotated[Path, typer.Option(metavar="FILE", help=translated("NAME.png, .svg or .pdf."))] = Path(
        "autoencoder.png"
    ),
    runs: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help=translated("An autoencoder's run and a VAE's, in place of training both now."),
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=1, help=translated("Passes over the training images for both, where they are not given."))
    ] = 20,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """An autoencoder beside a VAE: where the digits lie, and what each decoder makes of points drawn at random."""
    from vaelab.cli.compilation import use_compilation_cache

    if out.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise VaelabError(translated("{out}: expected a name ending in .png, .svg or .pdf", out=out))
    output_path(out, overwrite=overwrite)
    use_compilation_cache()

    from vaelab.plotting.lettering import drawable_language
    from vaelab.plotting.writing import figure_bytes
    from vaelab.tensors import write_bytes_safely

    plain, variational, dataset, origin = _trained(epochs, seed) if runs is None else _loaded(runs)
    with drawable_language():
        figure = _figure(plain, variational, dataset, origin, seed)
    write_bytes_safely(out, figure_bytes(figure, out.suffix.lower()[1:]))
    typer.echo(translated("{out}: an autoencoder beside a VAE. Next: vaelab train, or vaelab demo bimodal", out=out))


def _figure(plain: "Model", variational: "Model", dataset: "Dataset", origin: str, seed: int) -> Any:
    from vaelab.generating import decode, encode, sample_latents
    from vaelab.generating.pictures import shown_range
    from vaelab.plotting.autoencoder import COUNT, Side, autoencoder_figure, points_over_box
    from vaelab.plotting.page import SEPARATOR

    codes, means = (encode(model, dataset.test.images).mean for model in (plain, variational))
    over_box = points_over_box(codes, COUNTED, seed=seed)
    from_prior = sample_latents(variational, COUNTED, seed=seed)
    sides = []
    for model, points, drawn, title, where in (
        (plain, codes, over_box, translated("Autoencoder"), translated("Drawn uniformly over the box of its codes")),
        (
            variational,
            means,
            from_prior,
            translated("Variational autoencoder"),
            translated("Drawn from its prior N(0, I)"),
        ),
    ):
        images = decode(model, drawn)
        shares = _shares(images) if dataset.name == "mnist" else None
        rings = model is variational
        sides.append(Side(title, points, drawn[:COUNT], images[:COUNT], where, rings, shares))
    facts = [
        translated(
            "{images:,} test images of {name} through the same two networks", images=len(codes), name=dataset.name
        ),
        translated(origin),
    ]
    if sides[0].shares is not None:
        facts.append(translated("{draws:,} draws each, counted by a digit classifier", draws=COUNTED))
    return autoencoder_figure(
        sides[0],
        sides[1],
        dataset.test.labels,
        label_names=dataset.label_names,
        shown=shown_range(dataset.test.images),
        facts=SEPARATOR.join(facts),
    )


def _shares(images: "np.ndarray") -> "np.ndarray":
    """How the images are shared out among the digits that the packaged classifier sees in them."""
    import numpy as np

    from vaelab.evaluation.feature_networks import digit_classifier

    network = digit_classifier()
    assert network.classes is not None
    assert network.class_count is not None
    found = network.classes(network.prepared(np.clip(images, 0.0, 1.0)))
    return np.bincount(found, minlength=network.class_count) / len(found)


def _loaded(names: tuple[str, str]) -> tuple["Model", "Model", "Dataset", str]:
    from vaelab.generating import check_images
    from vaelab.model_file import load_model
    from vaelab.run_data import run_data
    from vaelab.runs import Run

    first, second = Run.open(names[0]), Run.open(names[1])
    plain, variational = load_model(first), load_model(second)
    if plain.has_density or not variational.has_density:
        raise VaelabError(
            translated(
                "--runs: expected an autoencoder's run, then a VAE's; found {first} and {second}",
                first=names[0],
                second=names[1],
            )
        )
    for name, model in zip(names, (plain, variational), strict=True):
        if model.latent_dim != 2:
            raise VaelabError(
                translated(
                    "{name}: the picture needs two latent dimensions; this run has {latent_dim}",
                    name=name,
                    latent_dim=model.latent_dim,
                )
            )
    dataset = run_data(second).dataset
    check_images(plain, dataset.test.images, dataset.name)
    check_images(variational, dataset.test.images, dataset.name)
    return plain, variational, dataset, to_translate("{first} and {second}", first=first.name, second=second.name)


def _trained(epochs: int, seed: int) -> tuple["Model", "Model", "Dataset", str]:
    from vaelab.config import load_recipe
    from vaelab.data import load_data
    from vaelab.training import TrainingData, train
    from vaelab.training.beginning import resolve

    dataset = load_data("mnist")
    models = []
    for recipe in ("autoencoder", "tutorial"):
        config = load_recipe(recipe).with_values({"training.epochs": epochs, "seed": seed})
        data = TrainingData.from_dataset(dataset, config.data)

        def report(line: dict[str, Any], recipe: str = recipe) -> None:
            typer.echo(
                translated(
                    "{recipe}: epoch {epoch} of {epochs}, val_loss {val_loss:.2f}",
                    recipe=recipe,
                    epoch=line["epoch"],
                    epochs=epochs,
                    val_loss=line["val_loss"],
                ),
                err=True,
            )

        models.append(train(resolve(config, data), data, on_epoch=report).model)
    return models[0], models[1], dataset, plural("{count} epoch each", "{count} epochs each", epochs)
