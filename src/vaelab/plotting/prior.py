"""The aggregate posterior against the prior: where the codes lie, where the prior says they lie, and what the difference decodes to."""

from typing import NamedTuple

import jax.random as jr
import numpy as np
from jaxtyping import Bool, Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from vaelab.densities import AbstractDensity, sample_many
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.figure import counted
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.fitting.kernel_density import fit_kernel_density
from vaelab.fitting.parts import Draws
from vaelab.generating import decode
from vaelab.language import to_translate, translated
from vaelab.model import Model
from vaelab.plotting.page import ACCENT, FAINT, INK, RULE, SEPARATOR, Page, label_across, label_axes
from vaelab.plotting.plane import Plane, plane_of
from vaelab.plotting.quantities import PlainNumbers, amount
from vaelab.plotting.tiles import draw_tiles, tiles_size

MOST_POSTERIORS = 10_000
DRAWS = 4_000
CELLS = 128
SHOWN_RATIO = 4.0
"""Nats: maps of log q - log p are cut off beyond, or at the worst hole, so that it has the darkest red."""

CODES, PRIOR = "#44aa99", ACCENT
MASSES = (0.393, 0.865, 0.989)
"""Inside the contours: as much as within 1, 2 and 3 sigma of a Gaussian in the plane."""

MOST = 0.95
"""The share of a density's mass within which it is compared with the other."""

HOLE = to_translate(
    "the worst hole (red ring): within 95 % of the prior, where log q(z) \N{MINUS SIGN} log p(z) is least"
)
HOLES = to_translate(
    "holes: of {draws:,} draws of the prior, within its densest 95 %, "
    "where log q(z) \N{MINUS SIGN} log p(z) is least, in all dimensions",
    draws=DRAWS,
)

RED = "#a93226"

ROW = 4.15
TILES = 3


class View(NamedTuple):
    """One prior beside the codes: densities on the plane shown, and images from where they differ most and least."""

    name: str
    across: Float[np.ndarray, " columns"]
    up: Float[np.ndarray, " rows"]
    log_codes: Float[np.ndarray, "rows columns"]  # log q(z)
    log_prior: Float[np.ndarray, "rows columns"]  # log p(z)
    of_prior: Bool[np.ndarray, "rows columns"]  # 95 % of the prior's mass
    of_codes: Bool[np.ndarray, "rows columns"]  # and of the codes'
    hole: Float[np.ndarray, " plane"] | None  # of one or two latent dimensions: the worst hole, and
    dense: Float[np.ndarray, " plane"] | None  # where the codes are densest
    hole_images: Shaped[np.ndarray, "tiles ..."]
    dense_images: Shaped[np.ndarray, "tiles ..."]
    drawn_images: Shaped[np.ndarray, "tiles ..."]
    divergence: float  # KL(q || p) in nats, over draws of q


def prior_figure(
    model: Model,
    mean: Float[np.ndarray, "images latent"],
    log_variance: Float[np.ndarray, "images latent"] | None,
    *,
    before: Model | None = None,
    names: tuple[str, ...] | None = None,
    shown: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    images: str = "training image",
    facts: str = "",
    seed: int = 0,
) -> Figure:
    """q(z) = 1/N sum_n q(z|x_n) of training images against p(z): contours, marginals, log q(z) - log p(z), and decoded images.

    With `before`, the same model with the prior it had, two rows: before and after. A plain autoencoder has no prior, so its first
    row shows what a sampler would have to assume, N(0, I); the density of its codes is a kernel estimate. With more than two
    latent dimensions the densities are those of draws in the plane shown.

    `mean` and `log_variance` are those of q(z|x) of training images, of which 10,000 at most are used; an autoencoder has no
    log_variance. `names` call the prior of each row, `images` what the codes are of, `shown` are the values of black and white, `seed` is
    that of the draws.
    """
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(len(mean))[:MOST_POSTERIORS])
    mean = np.asarray(mean, np.float32)[chosen]
    log_variance = None if log_variance is None else np.asarray(log_variance, np.float32)[chosen]
    plane = plane_of(mean, log_variance)
    codes, code_draws = _codes(mean, log_variance, seed)
    models = [model] if before is None else [before, model]
    if names is None:
        names = (translated("the prior"),) if before is None else (translated("before"), translated("after"))
    views = [_view(one, name, codes, code_draws, plane, seed) for one, name in zip(models, names, strict=True)]
    more = [
        translated(counted(len(mean), images)),
        plane.choice,
        translated(HOLE if mean.shape[1] <= 2 else HOLES),
    ]
    title = title or translated("The aggregate posterior and the prior")
    page = Page(9.75, 0.85 + ROW * len(views), title, SEPARATOR.join(filter(None, [facts, *more])))
    reach = _reach(views)
    for place, view in enumerate(views):
        _draw_row(page, view, plane, 0.85 + ROW * place, shown, reach)
    return page.figure


# --- what is shown --------------------------------------------------------------------------------------------------


def _codes(
    mean: Float[np.ndarray, "images latent"], log_variance: Float[np.ndarray, "images latent"] | None, seed: int
) -> tuple[AbstractDensity, Float[np.ndarray, "draws latent"]]:
    """The density of the codes, and draws of it."""
    if log_variance is None:
        half = len(mean) // 2
        order = np.random.default_rng(seed).permutation(len(mean))
        density = fit_kernel_density(Draws(mean[order[:half]], mean[order[half:]])).prior.density()
        return density, mean[:DRAWS]
    aggregate = AggregatePosterior.of_gaussians(mean, log_variance)
    return aggregate.mixture, aggregate.draws(jr.key(seed))[:DRAWS]


def _view(
    model: Model,
    name: str,
    codes: AbstractDensity,
    code_draws: Float[np.ndarray, "draws latent"],
    plane: Plane,
    seed: int,
) -> View:
    prior = model.prior_density()
    drawn = np.asarray(sample_many(prior, jr.key(seed + 1), DRAWS))
    across, up, log_q, log_p = _on_the_plane(codes, prior, code_draws, drawn, plane)
    of_prior, of_codes = _holds_most(log_p), _holds_most(log_q)
    count = TILES * TILES
    if drawn.shape[1] <= 2:
        spots = np.stack(np.meshgrid(across, up), axis=-1)[..., : drawn.shape[1]]
        hole = spots[np.unravel_index(np.where(of_prior, log_q - log_p, np.inf).argmin(), log_q.shape)]
        dense = spots[np.unravel_index(log_q.argmax(), log_q.shape)]
        near_hole, near_dense = (drawn[np.argsort(((drawn - spot) ** 2).sum(axis=1))[:count]] for spot in (hole, dense))
    else:  # where all draws are far from one another, and two dimensions do not show which are in a hole: the nine of each end
        hole = dense = None
        log_codes_there, log_prior_there = log_probs(codes, drawn), log_probs(prior, drawn)
        inside = log_prior_there >= np.quantile(log_prior_there, 1.0 - MOST)
        order = np.argsort(np.where(inside, log_codes_there - log_prior_there, np.inf), kind="stable")
        near_hole, near_dense = drawn[order[:count]], drawn[np.argsort(-log_codes_there)[:count]]
    return View(
        name=name,
        across=across,
        up=up,
        log_codes=log_q,
        log_prior=log_p,
        of_prior=of_prior,
        of_codes=of_codes,
        hole=hole,
        dense=dense,
        hole_images=decode(model, near_hole),
        dense_images=decode(model, near_dense),
        drawn_images=decode(model, drawn[:count]),
        divergence=float((log_probs(codes, code_draws) - log_probs(prior, code_draws)).mean()),
    )


def _holds_most(log_density: Float[np.ndarray, "rows columns"]) -> Bool[np.ndarray, "rows columns"]:
    """The cells of the grid that hold `MOST` of the mass on it, the densest first."""
    mass = np.exp(log_density - log_density.max())
    order = np.argsort(-mass, axis=None, kind="stable")
    before = np.cumsum(mass.ravel()[order]) - mass.ravel()[order]
    inside = np.zeros(mass.size, bool)
    inside[order[before < MOST * mass.sum()]] = True
    return inside.reshape(mass.shape)


def _on_the_plane(
    codes: AbstractDensity,
    prior: AbstractDensity,
    code_draws: Float[np.ndarray, "draws latent"],
    drawn: Float[np.ndarray, "drawn latent"],
    plane: Plane,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Both log-densities on a grid over both sets of draws: exact where the plane is the space, else of smoothed draws."""
    points, others = plane.project(code_draws), plane.project(drawn)
    together = np.concatenate([np.quantile(part, (0.001, 0.999), axis=0) for part in (points, others)])
    low, high = together.min(axis=0), together.max(axis=0)
    margin = 0.08 * (high - low)
    axes = [np.linspace(a, b, CELLS, dtype=np.float32) for a, b in zip(low - margin, high + margin, strict=True)]
    if code_draws.shape[1] == 1:
        grid = axes[0][:, None]
        return axes[0], np.zeros(1), log_probs(codes, grid)[None], log_probs(prior, grid)[None]
    if code_draws.shape[1] == 2:
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        log_q, log_p = (log_probs(density, grid).reshape(CELLS, CELLS) for density in (codes, prior))
        return axes[0], axes[1], log_q, log_p
    smoothed = [_smoothed(part, axes) for part in (points, others)]
    return axes[0], axes[1], smoothed[0], smoothed[1]


def _smoothed(points: Float[np.ndarray, "draws 2"], axes: list[np.ndarray]) -> np.ndarray:
    steps = [axis[1] - axis[0] for axis in axes]
    edges = [np.append(axis - step / 2, axis[-1] + step / 2) for axis, step in zip(axes, steps, strict=True)]
    counts = np.histogram2d(points[:, 0], points[:, 1], bins=edges)[0].T
    density = gaussian_filter(counts, CELLS * 0.022) / (len(points) * steps[0] * steps[1])
    return np.log(density + 1e-6)


# --- how it is drawn ------------------------------------------------------------------------------------------------


def _reach(views: list[View]) -> float:
    """The least log q - log p on any map, as a positive number: one scale for all, that of the worst hole."""
    least = min(float((view.log_codes - view.log_prior)[view.of_prior].min()) for view in views)
    return float(np.clip(-least, 0.5, SHOWN_RATIO))


def _draw_row(page: Page, view: View, plane: Plane, top: float, shown: tuple[float, float], reach: float) -> None:
    page.text(0.3, top + 0.05, view.name, size=10.5, weight="bold", color=INK)
    # an estimate from draws: of two densities that are nearly one it may come out a little below zero
    page.text(0.3, top + 0.24, f"KL(q(z) || p(z)) ≈ {amount(max(view.divergence, 0.0))} nats", size=7.5, color=FAINT)
    square, left, base = 2.75, 0.6, top + 0.75
    if len(view.up) == 1:
        _draw_line(page, view, plane, left, base, square, reach)
    else:
        _draw_plane(page, view, plane, left, base, square, reach)
    blocks = (
        (
            translated("In the worst hole") if view.hole is not None else translated("In the worst holes"),
            view.hole_images,
            RED,
        ),
        (translated("Where codes are densest"), view.dense_images, INK),
        (translated("Drawn from the prior"), view.drawn_images, PRIOR),
    )
    width, height = tiles_size(view.hole_images.shape[1:], TILES, TILES, width=1.15)
    for place, (words, images, colour) in enumerate(blocks):
        upper = top + 0.2 + place * 1.33
        axes = page.axes(8.2, upper, width, height)
        draw_tiles(axes, images, TILES, shown=shown)
        page.text(8.2, upper - 0.06, words, size=7.5, color=colour)


def _draw_plane(page: Page, view: View, plane: Plane, left: float, base: float, square: float, reach: float) -> None:
    axes = page.axes(left, base, square, square)
    q, p = np.exp(view.log_codes), np.exp(view.log_prior)
    axes.contourf(
        view.across,
        view.up,
        q,
        levels=[0.0, *_levels(q)[::-1], q.max() * 1.001],
        colors=("white", "#dff1ee", "#a5d8d1", CODES),
    )
    axes.contour(view.across, view.up, p, levels=_levels(p)[::-1], colors=PRIOR, linewidths=1.1)
    label_axes(axes, *plane.axis_names)
    edge = {"xlim": (view.across[0], view.across[-1]), "ylim": (view.up[0], view.up[-1])}
    axes.set(**edge)
    page.text(left + square + 0.08, base - 0.36, translated("codes q(z)"), size=8, color="#2b8577")
    page.text(left + square + 0.08, base - 0.2, translated("prior p(z)"), size=8, color=PRIOR)
    marginal = page.axes(left, base - 0.42, square, 0.38)
    _draw_marginals(marginal, view.across, q.sum(axis=0), p.sum(axis=0), across=True)
    marginal = page.axes(left + square + 0.04, base, 0.38, square)
    _draw_marginals(marginal, view.up, q.sum(axis=1), p.sum(axis=1), across=False)

    left += square + 1.05
    axes = page.axes(left, base, square, square)
    # where neither has its mass there is nothing to compare
    ratio = np.ma.masked_where(
        ~(view.of_prior | view.of_codes), np.clip(view.log_codes - view.log_prior, -reach, reach)
    )
    extent = (view.across[0], view.across[-1], view.up[0], view.up[-1])
    picture = axes.imshow(ratio, cmap="RdBu", vmin=-reach, vmax=reach, extent=extent, origin="lower", aspect="auto")
    _ring(axes, view.hole, RED)
    _ring(axes, view.dense, INK)
    axes.set(**edge)
    label_across(axes, plane.axis_names[0], size=9, color=INK, labelpad=4)
    page.text(left, base - 0.2, "log q(z) \N{MINUS SIGN} log p(z), nats", size=8, color=INK)
    page.text(left, base - 0.06, translated("red: the prior's mass where no code lies"), size=7, color=RED)
    bar = page.axes(left + square + 0.08, base, 0.09, square)
    page.figure.colorbar(picture, cax=bar, ticks=MaxNLocator(4), format=PlainNumbers())
    bar.tick_params(labelsize=7, labelcolor=FAINT, length=2)
    bar.spines["outline"].set_edgecolor(RULE)


def _ring(axes: Axes, spot: Float[np.ndarray, " plane"] | None, colour: str) -> None:
    """A ring around a spot, with a white edge, so that it is seen on its own colour."""
    if spot is None:
        return
    for width, edge in ((3.2, "white"), (1.4, colour)):
        axes.plot(
            *spot, "o", markersize=8, markerfacecolor="none", markeredgecolor=edge, markeredgewidth=width, clip_on=False
        )


def _draw_marginals(axes: Axes, values: np.ndarray, q: np.ndarray, p: np.ndarray, *, across: bool) -> None:
    q, p = q / q.sum(), p / p.sum()
    if across:
        axes.fill_between(values, 0.0, q, color=CODES, alpha=0.55, linewidth=0)
        axes.plot(values, p, color=PRIOR, linewidth=1.1)
        axes.set(xlim=(values[0], values[-1]), ylim=(0.0, None))
    else:
        axes.fill_betweenx(values, 0.0, q, color=CODES, alpha=0.55, linewidth=0)
        axes.plot(p, values, color=PRIOR, linewidth=1.1)
        axes.set(ylim=(values[0], values[-1]), xlim=(0.0, None))
    axes.axis("off")


def _draw_line(page: Page, view: View, plane: Plane, left: float, base: float, height: float, reach: float) -> None:
    """One latent dimension: both densities over it, and their log-ratio."""
    width = 7.3
    axes = page.axes(left, base - 0.3, width, 0.6 * height)
    axes.fill_between(view.across, 0.0, np.exp(view.log_codes[0]), color=CODES, alpha=0.55, linewidth=0)
    axes.plot(view.across, np.exp(view.log_prior[0]), color=PRIOR, linewidth=1.4)
    axes.set(xlim=(view.across[0], view.across[-1]), ylim=(0.0, None), yticks=[], xticks=[])
    page.text(left + width - 2.0, base - 0.38, translated("codes q(z)"), size=8, color="#2b8577")
    page.text(left + width - 1.0, base - 0.38, translated("prior p(z)"), size=8, color=PRIOR)
    below = page.axes(left, base - 0.2 + 0.6 * height, width, 0.42 * height)
    ratio = np.clip(view.log_codes[0] - view.log_prior[0], -reach, reach)
    below.axhline(0.0, color=RULE, linewidth=0.8)
    below.fill_between(view.across, ratio, 0.0, where=ratio < 0, color=RED, alpha=0.35, linewidth=0)
    below.fill_between(view.across, ratio, 0.0, where=ratio > 0, color=ACCENT, alpha=0.35, linewidth=0)
    below.set(xlim=(view.across[0], view.across[-1]), ylim=(-reach, reach))
    for spot, colour in ((view.hole, RED), (view.dense, INK)):
        if spot is not None:
            _ring(below, np.array([spot[0], ratio[np.abs(view.across - spot[0]).argmin()]]), colour)
    label_axes(below, plane.axis_names[0], "log q \N{MINUS SIGN} log p (nats)")


def _levels(density: np.ndarray) -> list[float]:
    """The density values whose regions hold `MASSES` of the mass on the grid, highest first; strictly falling."""
    values = np.sort(density.ravel())[::-1]
    shares = np.cumsum(values) / values.sum()
    found = [float(values[min(int(np.searchsorted(shares, mass)), len(values) - 1)]) for mass in MASSES]
    return [value * (1.0 - 1e-6 * place) + 1e-30 * (3 - place) for place, value in enumerate(found)]
