"""`write_figures`: the figures of a run, gathered, drawn and written into its folder."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.language import plural, to_translate, translated
from vaelab.nearest import nearest_name
from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaelab.evaluation.material import Material
    from vaelab.plotting.fitted_material import FittedMaterial
    from vaelab.plotting.material import FigureMaterial

FORMATS = ("png", "svg", "pdf")
STYLES = ("vaelab", "tutorial")
WITHOUT_IMAGES = ("loss",)
LIKE_THE_TUTORIALS = ("latent", "manifold")
"""What the style `tutorial` draws otherwise, where there are two latent dimensions."""
DEFAULT_FIGURES = ("loss", "latent", "manifold", "reconstructions", "samples")


class UnavailableError(VaelabError):
    """A figure that this model cannot have, and why."""


def write_figures(
    run: Run,
    names: Iterable[str] | None = None,
    *,
    format: str = "png",  # noqa: A002 - as matplotlib calls it
    style: str = "vaelab",
    dataset: Dataset | None = None,
    data: str | None = None,
    training_data: str | None = None,
    prior: str = "trained",
    folder: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Draw figures of a run and write them as `NAME.png` into its `figures/`; returns where they are. Those that the style `tutorial` draws
    otherwise are written beside them, as `NAME-tutorial.png`.

    `names` are of `figure_names()`; by default all of the usual ones that the run can have, and `say` is told of those
    it cannot. With more than two latent dimensions `manifold` gives `traversals`. `dataset`, or `data`, the name or
    path of one, takes the place of what the run was trained on, and `training_data` says where this is now; `prior`
    names one made by `vaelab fit-prior`; `folder` takes the place of the run's.

    Raises:
        VaelabError: for an unknown name, format or style, a figure asked for that the run cannot have, and what cannot
        be read or
            written.
    """
    _check_words(names, format, style)
    from vaelab.evaluation.material import Material
    from vaelab.run_data import chosen_data

    if data is not None and training_data is not None:
        chosen_data(run, data, training_data)  # which refuses both
    material = Material(run, dataset=dataset, data=data, prior=prior, training_data=training_data)
    return write_figures_of(material, names, format=format, style=style, folder=folder, say=say)


def write_figures_of(
    material: "Material",
    names: Iterable[str] | None = None,
    *,
    format: str = "png",  # noqa: A002 - as matplotlib calls it
    style: str = "vaelab",
    folder: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """`write_figures` of what is already known of a run."""
    wanted = DEFAULT_FIGURES if names is None else tuple(names)
    if any(name not in WITHOUT_IMAGES for name in wanted) and material.source.note:
        say(translated(material.source.note))  # and where there are no images, nothing is drawn
    folder = folder or figures_folder(material.run)
    written = []
    for name, figure in figures_of(material, None if names is None else wanted, format=format, style=style, say=say):
        path = folder / f"{name}.{format}"
        write_bytes_safely(path, figure)
        written.append(path)
    return written


def figures_of(
    material: "Material",
    names: Iterable[str] | None = None,
    *,
    format: str = "png",  # noqa: A002
    style: str = "vaelab",
    only_available: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, bytes]]:
    """The files of the figures by their names, each drawn when it is asked for: a figure once, though two names give it. `only_available`
    leaves out those that the run cannot have, which are left out of the usual ones anyway. The name of one drawn as the tutorial draws it
    ends in `-tutorial`.

    Raises:
        VaelabError: as `write_figures` does.
    """
    names = None if names is None else tuple(names)
    _check_words(names, format, style)
    from vaelab.plotting.lettering import drawable_language
    from vaelab.plotting.material import FigureMaterial

    shown = FigureMaterial(material)
    size, drawn = material.config.model.latent_dim, set()
    for name in DEFAULT_FIGURES if names is None else tuple(dict.fromkeys(names)):
        if name == "manifold" and size > 2:
            if shown.model.domain == "reals":  # else traversals say that they are not drawn either
                say(
                    translated(
                        "manifold: a grid needs one or two latent dimensions, and this run has {size}; drew traversals",
                        size=size,
                    )
                )
            name = "traversals"
        if name in drawn:
            continue
        drawn.add(name)
        as_tutorial = style == "tutorial" and name in LIKE_THE_TUTORIALS
        if as_tutorial and size != 2:
            say(
                translated(
                    "{name}: the tutorial's needs two latent dimensions, and this run has {size}; drew the usual one",
                    name=name,
                    size=size,
                )
            )
            as_tutorial = False
        try:
            with drawable_language():
                figure = FIGURES[name](shown, "tutorial" if as_tutorial else "vaelab")
        except UnavailableError as reason:
            if names is not None and not only_available:
                raise
            say(str(reason))
            continue
        yield f"{name}-tutorial" if as_tutorial else name, figure_bytes(figure, format)


def figure_of(material: "Material | FittedMaterial", name: str, *, style: str = "vaelab") -> "Figure":
    """One figure, by its name in `figure_names()`.

    Raises:
        VaelabError: for an unknown name or style, images that are not to be had, and a figure that the model cannot have.
    """
    _check_words((name,), FORMATS[0], style)
    from vaelab.plotting.lettering import drawable_language
    from vaelab.plotting.material import FigureMaterial

    with drawable_language():
        return FIGURES[name](FigureMaterial(material), style)


def _check_words(names: Iterable[str] | None, format: str, style: str) -> None:  # noqa: A002
    for name in () if names is None else names:
        if name not in FIGURES:
            raise VaelabError(
                translated("unknown figure '{name}'; {nearest}", name=name, nearest=nearest_name(name, FIGURES))
            )
    if format not in FORMATS:
        raise VaelabError(
            translated("unknown format '{format}'; {nearest}", format=format, nearest=nearest_name(format, FORMATS))
        )
    if style not in STYLES:
        raise VaelabError(
            translated("unknown style '{style}'; {nearest}", style=style, nearest=nearest_name(style, STYLES))
        )


def figure_names() -> tuple[str, ...]:
    return tuple(FIGURES)


def figures_folder(run: Run) -> Path:
    """`RUN/figures`; for a model that ships in the package, which is not ours to write to, `figures/NAME` in the
    current folder.
    """
    return Path("figures") / run.name if run.is_packaged else run.figures


def figure_bytes(figure: "Figure", format: str) -> bytes:  # noqa: A002
    """The file of a figure."""
    buffer = io.BytesIO()
    if format == "png":
        # drawn on white, so three channels say it all: a third less to compress
        from PIL import Image

        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]  # pyright: ignore[reportAttributeAccessIssue]
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            buffer, "PNG", compress_level=4, dpi=(figure.dpi, figure.dpi)
        )
    else:
        figure.savefig(buffer, format=format)
    return buffer.getvalue()


# --- one figure each: what it needs of the run -----------------------------------------------------------------------


def _loss(material: "FigureMaterial", style: str) -> "Figure":
    del style
    if not material.records:
        raise UnavailableError(
            translated("loss: {name} has no epoch on record, so there is nothing to draw", name=material.name)
        )
    from vaelab.plotting.loss import loss_figure

    return loss_figure(material.records, facts=material.facts)


def _latent(material: "FigureMaterial", style: str) -> "Figure":
    from vaelab.evaluation.figure import counted
    from vaelab.plotting.latent import latent_figure
    from vaelab.plotting.page import SEPARATOR
    from vaelab.plotting.tutorial import tutorial_scatter

    plane = material.plane
    points = plane.project(material.encoded.mean)
    if style == "tutorial" and material.model.latent_dim == 2:
        return tutorial_scatter(points, material.labels)
    kind = to_translate("posterior means") if material.model.has_density else to_translate("codes")
    where = f"{SEPARATOR}{plane.choice}" if plane.choice else ""
    return latent_figure(
        points,
        material.labels,
        label_names=material.dataset.label_names,
        axis_names=plane.axis_names,
        rings=material.has_normal_prior,
        contours=material.contours,
        title=translated(
            "Latent space: {kind} of {images}",
            kind=kind,
            images=counted(len(points), f"{material.source.split} image"),
        ),
        facts=material.facts + where,
    )


def _check_all_numbers(figure: str, material: "FigureMaterial") -> None:
    """Refuse a figure that moves one entry of z by itself, where z would leave the sphere or the codes that it lives in."""
    if material.model.domain != "reals":
        raise UnavailableError(
            translated(
                "{figure}: moves an entry of z by itself, and z of this model lives in: {domain}; draw samples, or interpolate",
                figure=figure,
                domain=material.model.domain,
            )
        )


def _manifold(material: "FigureMaterial", style: str) -> "Figure":
    from vaelab.plotting.manifold import grid_of, manifold_figure, normal_quantiles, own_quantiles
    from vaelab.plotting.page import SEPARATOR
    from vaelab.plotting.tutorial import tutorial_grid

    size = material.model.latent_dim
    _check_all_numbers("manifold", material)
    if size > 2:
        raise UnavailableError(
            translated(
                "manifold: a grid needs one or two latent dimensions, and this model has {size}; draw traversals",
                size=size,
            )
        )
    if material.has_normal_prior:
        values, where = [normal_quantiles()] * size, translated("at quantiles 5 % to 95 % of the prior")
    else:
        means = material.encoded.mean
        values, where = (
            [own_quantiles(means[:, axis]) for axis in range(size)],
            translated("at quantiles 5 % to 95 % of the images' own latents"),
        )
    up = values[1] if size == 2 else None
    z = grid_of(values[0], up) if up is not None else values[0][:, None]
    label = material.model.labels[0] if material.model.is_conditional else 0
    images = material.decode(z, label)
    if style == "tutorial" and size == 2:
        return tutorial_grid(images, len(values[0]), shown=material.shown)
    return manifold_figure(
        images,
        values[0],
        up,
        shown=material.shown,
        title=translated("What the decoder makes of the latent space"),
        facts=material.as_label(f"{material.facts}{SEPARATOR}{where}", label),
    )


def _traversals(material: "FigureMaterial", style: str) -> "Figure":
    del style
    from vaelab.evaluation.figure import PARTS
    from vaelab.plotting.page import SEPARATOR, latent_name
    from vaelab.plotting.plane import kl_per_dimension
    from vaelab.plotting.quantities import amount
    from vaelab.plotting.traversals import MAX_ROWS, STEPS, traversal_points, traversals_figure

    _check_all_numbers("traversals", material)
    encoded = material.encoded
    size = material.model.latent_dim
    if encoded.log_variance is not None:
        weights = kl_per_dimension(encoded.mean, encoded.log_variance)
        unit, decimals = "KL", 2
    else:
        weights, unit = encoded.mean.var(axis=0), translated("variance")
        decimals = 2 if weights.max() >= 0.1 else 4
    rows = [int(row) for row in np.argsort(-weights, kind="stable")[:MAX_ROWS]]
    if material.has_normal_prior:
        values, where = (
            np.tile(np.linspace(-3.0, 3.0, STEPS), (len(rows), 1)),
            translated("from −3 to 3 sigma of the prior"),
        )
    else:
        shares = np.linspace(0.01, 0.99, STEPS)
        values = np.stack([np.quantile(encoded.mean[:, row].astype(np.float64), shares) for row in rows])
        where = translated("from quantile 1 % to 99 % of the images' own latents")
    label = int(material.labels[0]) if material.model.is_conditional and material.labels is not None else 0
    images = material.decode(traversal_points(encoded.mean[0], rows, values), label)
    if size == 1:
        title = translated("Traversals: the only dimension, moved")
    elif len(rows) == size:
        title = translated("Traversals: all {size} dimensions, one at a time", size=size)
    else:
        title = translated(
            "Traversals: the {count} strongest of {size} dimensions, one at a time", count=len(rows), size=size
        )
    around = translated(
        "around the first {part} image, {where}",
        part=PARTS.get(material.source.split, material.source.split),
        where=where,
    )
    return traversals_figure(
        images,
        [f"{latent_name(row)}   {unit} {amount(float(weights[row]), decimals)}" for row in rows],
        shown=material.shown,
        title=title,
        facts=material.as_label(f"{material.facts}{SEPARATOR}{around}", label),
    )


def _reconstructions(material: "FigureMaterial", style: str) -> "Figure":
    del style
    from vaelab.evaluation.figure import counted
    from vaelab.plotting.reconstructions import chosen_images, reconstructions_figure

    chosen = chosen_images(material.labels, len(material.test))
    title = plural(
        "{images} and its reconstruction",
        "{images} and their reconstructions",
        len(chosen),
        images=counted(len(chosen), f"{material.source.split} image"),
    )
    return reconstructions_figure(
        material.test.images[chosen],
        material.decode(material.encoded.mean[chosen], None if material.labels is None else material.labels[chosen]),
        shown=material.shown,
        title=translated(title),
        facts=material.facts,
    )


def _samples(material: "FigureMaterial", style: str) -> "Figure":
    del style
    if not material.can_sample:
        raise UnavailableError(
            translated(
                "samples: an autoencoder has no prior to sample from; fit one to its codes with: {how_to_sample}",
                how_to_sample=material.how_to_sample,
            )
        )
    from vaelab.generating.sampling import sampled
    from vaelab.plotting.samples import COUNT, samples_figure

    drawn = sampled(material.model, COUNT)
    images = material.decode(drawn.z, drawn.labels)
    return samples_figure(
        images,
        shown=material.shown,
        title=translated("{count} samples from the prior, decoded", count=COUNT),
        facts=material.facts,
    )


def _prior(material: "FigureMaterial", style: str) -> "Figure":
    """The codes of training images, as the model sees them, against its prior; a fitted one beside the trained."""
    del style
    if material.model.is_conditional:
        raise UnavailableError(
            translated(
                "prior: of a model that sees labels each has a prior and codes of its own, and the figure is of one"
            )
        )
    from vaelab.codes import has_diagonal_posterior
    from vaelab.generating import encode
    from vaelab.pixels import seen_once
    from vaelab.plotting.prior import MOST_POSTERIORS, prior_figure

    config = material.config
    images = material.dataset.train.images
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:MOST_POSTERIORS])
    encoded = encode(material.model, seen_once(images[chosen], config.data.pixels, config.data.test_seed))
    # of what is no Gaussian of independent entries the figure smooths draws, as it does an autoencoder's codes
    exact = has_diagonal_posterior(material.model)
    if material.model.has_density:
        trained = translated("The {kind} prior that it was trained with", kind=config.model.prior.kind)
    else:
        trained = translated("No prior: what a sampler would have to assume, N(0, I)")
    fitted = material.prior != "trained"
    return prior_figure(
        material.model,
        encoded.mean if exact else encoded.draw,
        encoded.log_variance if exact else None,
        before=material.trained_model if fitted else None,
        names=(trained, translated("Prior {prior}, fitted afterwards", prior=material.prior)) if fitted else (trained,),
        shown=material.shown,
        images="given image" if material.source.split == "given" else "training image",
        facts=material.facts,
    )


POSTERIORS = 8
"""How many test images the figure of their exact posteriors shows."""


def _posterior(material: "FigureMaterial", style: str) -> "Figure":
    del style
    from vaelab.evaluation.inputs import why_no_quadrature

    size = material.model.latent_dim
    if material.model.is_conditional:
        raise UnavailableError(
            translated(
                "posterior: the figure is of p(z|x), and this model has one for each label; none of them alone is meant"
            )
        )
    if size > 2 or not material.model.has_density:
        what = (
            to_translate("this model has {size}", size=size)
            if size > 2
            else to_translate("an autoencoder has no posterior")
        )
        raise UnavailableError(
            translated("posterior: p(z|x) is computed on a grid of one or two latent dimensions, and {what}", what=what)
        )
    if (reason := why_no_quadrature(material.model)) is not None:
        raise UnavailableError(translated("posterior: {reason}", reason=reason))
    from vaelab.evaluation.true_posterior import true_posteriors
    from vaelab.pixels import seen_once
    from vaelab.plotting.reconstructions import chosen_images
    from vaelab.plotting.true_posterior import true_posterior_figure

    data = material.config.data
    chosen = chosen_images(material.labels, len(material.test))[:POSTERIORS]
    # binarised where the model is trained on such: p(z|x) is of the image as it is scored
    images = seen_once(material.test.images[chosen], data.pixels, data.test_seed)
    density = material.model.prior_density()
    return true_posterior_figure(true_posteriors(material.model, density, images), images, facts=material.facts)


FIGURES: dict[str, Callable[["FigureMaterial", str], "Figure"]] = {
    "loss": _loss,
    "latent": _latent,
    "manifold": _manifold,
    "traversals": _traversals,
    "reconstructions": _reconstructions,
    "samples": _samples,
    "prior": _prior,
    "posterior": _posterior,
}
