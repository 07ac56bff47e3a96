"""Figure `loss`: how training went."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.language import plural, to_translate, translated
from vaelab.plotting.lettering import lettering
from vaelab.plotting.page import ACCENT, FAINT, INK, Page, label_across, label_up
from vaelab.plotting.quantities import amount

PANELS = {
    "loss": to_translate("loss"),
    "reconstruction": to_translate("reconstruction"),
    "kl": to_translate("KL divergence"),
}


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
        page.text(left, 0.93, translated(PANELS[name]), size=9, color=INK)
        label_across(axes, translated("epoch"), size=8, color=FAINT)
        if place == 0:
            label_up(axes, translated("nats per image"), size=8, color=FAINT)
            legend = axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper right")
            for words in legend.get_texts():
                words.set(text=lettering(words.get_text()).words, **lettering(words.get_text()).style)
    return page.figure


def _title(records: Sequence[Mapping[str, Any]]) -> str:
    last = records[-1]
    epochs = plural("{count:,} epoch", "{count:,} epochs", last["epoch"])
    training = amount(last["loss"])
    if "val_loss" not in last:
        return translated("Loss after {epochs}: training {training}", epochs=epochs, training=training)
    return translated(
        "Loss after {epochs}: training {training}, validation {validation}",
        epochs=epochs,
        training=training,
        validation=amount(last["val_loss"]),
    )


def _draw(axes: Axes, records: Sequence[Mapping[str, Any]], name: str) -> None:
    epochs = [record["epoch"] for record in records]
    marker = "o" if len(records) < 4 else None
    axes.plot(
        epochs,
        [record[name] for record in records],
        color=ACCENT,
        lw=1.4,
        marker=marker,
        ms=4,
        label=translated("training"),
    )
    held_out = [(record["epoch"], record[f"val_{name}"]) for record in records if f"val_{name}" in record]
    if held_out:
        across, up = np.transpose(held_out)
        axes.plot(across, up, color="#d98032", lw=1.4, marker=marker, ms=4, label=translated("validation"))
    axes.grid(axis="y", color="#eceef1", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    first, last = epochs[0], epochs[-1]
    axes.set_xlim(first - 0.02 * (last - first) - 0.01, last + 0.02 * (last - first) + 0.01)
    axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))
