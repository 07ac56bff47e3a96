"""Figure `loss`: how training went."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.evaluation.figure import counted
from vaelab.plotting.page import ACCENT, FAINT, INK, Page
from vaelab.plotting.quantities import amount

PANELS = {"loss": "loss", "reconstruction": "reconstruction", "kl": "KL divergence"}


def loss_figure(records: Sequence[Mapping[str, Any]], *, facts: str = "") -> Figure:
    """Loss and its two parts, in nats for one image, over the epochs: training and validation.

    `records` are the lines of `metrics.jsonl`. An autoencoder's KL is 0 throughout: then the loss alone is drawn.
    """
    panels = list(PANELS) if any(record["kl"] != 0.0 for record in records) else ["loss"]
    wide = 2.75 if len(panels) > 1 else 5.2
    between = 0.6  # room for `9.6×10⁷` beside a tick
    page = Page(0.75 + len(panels) * (wide + between) - 0.15, 3.75, _title(records), facts)
    for place, name in enumerate(panels):
        left = 0.8 + place * (wide + between)
        axes = page.axes(left, 1.0, wide, 2.2)
        _draw(axes, records, name)
        page.text(left, 0.93, PANELS[name], size=9, color=INK)
        axes.set_xlabel("epoch", size=8, color=FAINT)
        if place == 0:
            axes.set_ylabel("nats an image", size=8, color=FAINT)
            axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper right")
    return page.figure


def _title(records: Sequence[Mapping[str, Any]]) -> str:
    last = records[-1]
    held_out = f", validation {amount(last['val_loss'])}" if "val_loss" in last else ""
    return f"Loss after {counted(last['epoch'], 'epoch')}: training {amount(last['loss'])}{held_out}"


def _draw(axes: Axes, records: Sequence[Mapping[str, Any]], name: str) -> None:
    epochs = [record["epoch"] for record in records]
    marker = "o" if len(records) < 4 else None
    axes.plot(epochs, [record[name] for record in records], color=ACCENT, lw=1.4, marker=marker, ms=4, label="training")
    held_out = [(record["epoch"], record[f"val_{name}"]) for record in records if f"val_{name}" in record]
    if held_out:
        across, up = np.transpose(held_out)
        axes.plot(across, up, color="#d98032", lw=1.4, marker=marker, ms=4, label="validation")
    axes.grid(axis="y", color="#eceef1", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    first, last = epochs[0], epochs[-1]
    axes.set_xlim(first - 0.02 * (last - first) - 0.01, last + 0.02 * (last - first) + 0.01)
    axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))
