"""docs/results.md, made from the finished rows alone."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab.reproduction.records import Record, read_records
from vaelab.reproduction.tables import TABLES, Table
from vaelab.tensors import write_bytes_safely

COLUMNS = {
    "nll_quadrature": "exact NLL",
    "nll_given": "exact NLL, given",
    "nll_importance": "NLL",
    "gain_over_normal": "gain over normal",
    "hole_fraction": "hole",
    "uncovered_fraction": "uncovered",
    "frechet_digit_distance": "Fréchet digit distance",
    "asked_share": "asked digits right",
    "predicted_share": "label told",
}
PEER = "pythae"
"""The file of the rows that `benchmarks/pythae_samplers.py` measures."""
PERCENT = ("hole_fraction", "uncovered_fraction", "asked_share", "predicted_share")

HEAD = """# Results

Made by `vaelab reproduce NAME`, which writes every finished row to `docs/results/NAME.json` and this page from them; it can be stopped
and goes on where it was. All figures are on the MNIST test images, but where a table says otherwise. NLL is the negative
log-likelihood in nats per image; *hole* the share of the prior where no code lies, *uncovered* the share of codes where the prior has
hardly any mass (1 % each for a perfect prior). The Fréchet digit distance compares 10,000 decoder means with the 10,000 grey test images
in the features of the packaged digit classifier (its last convolutions, averaged over positions): it is comparable within this page only.
± after several seeds is the standard deviation over seeds; after one seed, the standard error over
test images (over bootstrap draws for the distance). *Gain over normal* is paired on the same test images with the same network's normal
prior of the same seed. Published figures marked [M] were recalled from the paper and
are still to be checked, those marked [I] read off a picture that its repository ships; the others stand in the paper's repository.
"""


AGAINST_PYTHAE = """## Against pythae

The same networks, epochs, batches, optimiser and data in [pythae](https://github.com/clementchadebec/benchmark_VAE) and here,
both measured by vaelab: pythae's weights come over as arrays, and each likelihood is under the density that the sampler of the row draws
from (pythae computes none; the parameters of its mixture and of its flow, and its pseudo-inputs, define it). The Fréchet digit distance
is of 10,000 images as each sampler draws them. *Gain* is over the same library's normal prior, on the same images.
`VAMPSampler` does not draw from the prior that was trained; the row below it has the same weights, drawn from that prior.
`python -m benchmarks.pythae_samplers`; times on one shared core, which say little.
"""


def write_page(results: Path, page: Path) -> None:
    """Write the page from the JSON files in `results`."""
    sections = [HEAD]
    for table in TABLES:
        records = read_records(results, table.name)
        if records:
            sections.append(_section(table, records))
    peer = read_records(results, PEER)
    if peer:
        sections.append(_against_pythae(peer))
    if len(sections) == 1:
        sections.append("No row is finished yet.\n")
    write_bytes_safely(page, "\n".join(sections).encode())


def _section(table: Table, records: Sequence[Record]) -> str:
    columns = [name for name in COLUMNS if any(name in record["figures"] for record in records)]
    header = [
        "row",
        "prior",
        *(COLUMNS[name] for name in columns),
        "seeds",
        "epochs",
        "split",
        "pixels",
        "K",
        "published",
        "training",
    ]
    lines = []
    order = {row.name: index for index, row in enumerate(table.rows)}
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(
        records,
        key=lambda record: (
            order.get(record["row"], len(order)),
            record["prior"] != "trained",
            record["prior"],
            record["seed"],
        ),
    ):
        groups.setdefault((record["row"], record["prior"]), []).append(record)
    for (row, prior), group in groups.items():
        first = group[0]
        label = f"{first['trained_prior']}, trained" if prior == "trained" else f"{prior}, fitted"
        cells = [
            row,
            label,
            *(_cell(group, name) for name in columns),
            str(len(group)),
            str(first["epochs"]),
            first["split"],
            first["pixels"],
        ]
        cells += [
            _samples(first),
            first["published"],
            _duration(float(np.mean([record["training_seconds"] for record in group]))),
        ]
        lines.append(cells)
    notes = {record["row"]: record["note"] for record in records if record["note"]}
    after = "".join(f"\n`{row}`: {note}.\n" for row, note in notes.items())
    cores = sorted({record["cores"] for record in records})
    command = f"`vaelab reproduce {table.name}`; training times on {' and '.join(map(str, cores))} shared cores."
    return f"## {table.title}\n\n{table.text} {command}\n\n{_markdown(header, lines)}\n{after}"


def _against_pythae(records: Sequence[Record]) -> str:
    """One table a network: pythae's rows, then ours."""
    parts = [AGAINST_PYTHAE]
    for network in dict.fromkeys(record["network"] for record in records):
        own = sorted((record for record in records if record["network"] == network), key=lambda record: record["order"])
        columns = [name for name in COLUMNS if any(name in record["figures"] for record in own)]
        names = [COLUMNS[name] for name in columns]
        header = ["library", "model", "sampler", *names, "seeds", "epochs", "split", "pixels", "K", "training", "fit"]
        groups = [list(group) for _, group in itertools.groupby(own, key=lambda record: record["order"])]
        lines = []
        for group in groups:
            first = group[0]
            training, fitting = (
                float(np.mean([record[f"{what}_seconds"] for record in group])) for what in ("training", "fitting")
            )
            lines.append(
                [
                    first["library"],
                    first["model"],
                    first["prior"],
                    *(_cell(group, name) for name in columns),
                    str(len(group)),
                    str(first["epochs"]),
                    first["split"],
                    first["pixels"],
                    _samples(first),
                    _duration(training),
                    _duration(fitting) if fitting else "–",
                ]
            )
        parts.append(f"**{network}.** {own[0]['text']}\n\n{_markdown(header, lines)}\n")
        notes = {first["prior"]: first["note"] for first, *_ in groups if first["note"]}
        parts += [f"`{sampler}`: {note}.\n" for sampler, note in notes.items()]
    return "\n".join(parts)


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *lines))


def _samples(record: Record) -> str:
    samples = record["importance_samples"]
    return f"{samples:,}" if samples is not None else "exact" if "nll_quadrature" in record["figures"] else "–"


def _cell(group: Sequence[Record], name: str) -> str:
    """Mean over seeds ± their standard deviation; for one seed its own standard error."""
    found = [record["figures"][name] for record in group if name in record["figures"]]
    if not found:
        return "–"
    scale, unit, digits = (100.0, " %", 2) if name in PERCENT else (1.0, "", 2)
    values = scale * np.array([figure["value"] for figure in found])
    if name == "frechet_digit_distance" and values.mean() < 1.0:
        digits = 3
    error = values.std(ddof=1) if len(values) > 1 else found[0]["standard_error"]
    shown = f"{values.mean():.{digits}f}"
    if error is None or not math.isfinite(error):
        return shown + unit
    error = float(error) if len(values) > 1 else scale * float(error)
    return f"{shown} ± {error:.{digits}f}{unit}"


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
