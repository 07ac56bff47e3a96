"""Figure `posterior`: the exact posterior of some images, with the encoder's Gaussian over it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Num
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from vaelab.language import to_translate, translated
from vaelab.plotting.page import ACCENT, FAINT, INK, Page, latent_name
from vaelab.plotting.quantities import amount

if TYPE_CHECKING:
    from vaelab.evaluation.true_posterior import TruePosterior

EXACT = LinearSegmentedColormap.from_list("exact", ["#ffffff", "#fbe3c8", "#eda35c", "#b1591a"])
PANEL, GAP, COLUMNS = 1.75, 0.44, 4
ANGLES = np.linspace(0.0, 2.0 * np.pi, 181)


def true_posterior_figure(
    posteriors: Sequence["TruePosterior"],
    images: Num[np.ndarray, "images height width ..."],
    *,
    title: str = "",
    facts: str = "",
) -> Figure:
    """For each image: p(z|x) as a shaded map (a curve in one dimension), q(z|x) as rings at 1 and 2 sigma, and the exact gap between them.

    `images` are shown small in the corner: uint8, or floats in [0, 1]. Each panel has its own window; both axes of a panel have one scale.
    """
    columns = min(COLUMNS, len(posteriors))
    rows = -(-len(posteriors) // columns)
    flat = len(posteriors[0].axes) == 1
    encoders = to_translate("line") if flat else to_translate("rings at 1 and 2 sigma")
    heading = title or translated("Exact posteriors (shaded) and the encoder's ({encoders})", encoders=encoders)
    width = max(5.6, 0.55 + columns * (PANEL + GAP))
    page = Page(width, 0.95 + rows * (PANEL + 0.72), heading, facts)
    for place, (posterior, image) in enumerate(zip(posteriors, images, strict=True)):
        row, column = divmod(place, columns)
        left, top = 0.5 + column * (PANEL + GAP), 0.98 + row * (PANEL + 0.72)
        axes = page.axes(left, top, PANEL, PANEL)
        page.text(left, top - 0.06, f"KL(q ‖ p) = {amount(posterior.inference_gap)} nats", size=8, color=INK)
        if len(posterior.axes) == 1:
            _curves(axes, posterior)
        else:
            _map(axes, posterior)
        axes.set_xlabel(latent_name(0), size=8, color=FAINT, labelpad=1)
        if column == 0 and len(posterior.axes) == 2:
            axes.set_ylabel(latent_name(1), size=8, color=FAINT, labelpad=1)
        corner = page.axes(left + PANEL - 0.44, top + 0.04, 0.4, 0.4)
        corner.imshow(image, cmap="gray_r", vmin=0, vmax=255 if image.dtype == np.uint8 else 1)
        corner.set(xticks=[], yticks=[])
    return page.figure


def _map(axes: Axes, posterior: "TruePosterior") -> None:
    across, up = posterior.axes
    density = np.exp(posterior.log_density - posterior.log_density.max())
    # a square window around both, so that circles are circles
    half = 0.5 * max(across[-1] - across[0], up[-1] - up[0])
    middle = 0.5 * (across[0] + across[-1]), 0.5 * (up[0] + up[-1])
    extent = (across[0], across[-1], up[0], up[-1])
    axes.imshow(
        density.T,
        extent=extent,
        origin="lower",
        cmap=EXACT,
        vmin=0.0,
        vmax=1.0,
        aspect="auto",
        interpolation="bilinear",
    )
    sigma = np.exp(0.5 * posterior.log_variance)
    for radius in (1.0, 2.0):
        x = posterior.mean[0] + radius * sigma[0] * np.cos(ANGLES)
        y = posterior.mean[1] + radius * sigma[1] * np.sin(ANGLES)
        axes.plot(x, y, color=ACCENT, lw=1.2)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.locator_params(nbins=4)


def _curves(axes: Axes, posterior: "TruePosterior") -> None:
    (across,) = posterior.axes
    axes.fill_between(across, np.exp(posterior.log_density), color="#eda35c", alpha=0.7, lw=0)
    axes.plot(across, np.exp(posterior.log_encoder), color=ACCENT, lw=1.2)
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(bottom=0.0)
    axes.set_yticks([])
