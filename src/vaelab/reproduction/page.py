"""docs/results.md, made from the finished rows alone."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab.reproduction.records import Record, read_records
from vaelab.reproduction.tables import TABLES, Table
from vaelab.tensors import write_bytes_safely

COLUMNS = {
    "nll_quadrature": "exact NLL",
    "nll_importance": "NLL",
    "gain_over_normal": "gain over normal",
    "hole_fraction": "hole",
    "uncovered_fraction": "uncovered",
    "frechet_digit_distance": "Fréchet digit distance",
}
PERCENT = ("hole_fraction", "uncovered_fraction")

HEAD = """# Results

Made by `vaelab reproduce NAME`, which writes every finished row to `docs/results/NAME.json` and this page from them; it can be stopped
and goes on where it was. All figures are on the MNIST test images. NLL is the negative log-likelihood in nats an image; *hole* the share
of the prior where no code lies, *uncovered* the share of codes where the prior hardly is (1 % each for a perfect prior). The Fréchet
digit distance compares 10,000 decoder means with the 10,000 grey test images in the features of the packaged digit classifier (its last
convolutions, averaged over positions): it is comparable within this page only.
± after several seeds is the standard deviation over seeds; after one seed, the standard error over
test images (over bootstrap draws for the distance). *Gain over normal* is paired on the same test images with the same network's normal
prior of the same seed. Published figures marked [M] were recalled from the paper and
are still to be checked, those marked [I] read off a picture that its repository ships; the others stand in the paper's repository.
"""


def write_page(results: Path, page: Path) -> None:
    """Write the page from the JSON files in `results`."""
    sections = [HEAD]
    for table in TABLES:
        records = read_records(results, table.name)
        if records:
            sections.append(_section(table, records))
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
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
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
        samples = first["importance_samples"]
        cells += [
            f"{samples:,}" if samples is not None else "exact" if "nll_quadrature" in first["figures"] else "–",
            first["published"],
            _duration(float(np.mean([record["training_seconds"] for record in group]))),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    notes = {record["row"]: record["note"] for record in records if record["note"]}
    after = "".join(f"\n`{row}`: {note}.\n" for row, note in notes.items())
    cores = sorted({record["cores"] for record in records})
    command = f"`vaelab reproduce {table.name}`; training times on {' and '.join(map(str, cores))} shared cores."
    return f"## {table.title}\n\n{table.text} {command}\n\n" + "\n".join(lines) + f"\n{after}"


def _cell(group: Sequence[Record], name: str) -> str:
    """Mean over seeds ± their standard deviation; for one seed its own standard error."""
    found = [record["figures"][name] for record in group if name in record["figures"]]
    if not found:
        return "–"
    scale, unit, digits = (100.0, " %", 2) if name in PERCENT else (1.0, "", 2)
    values = scale * np.array([figure["value"] for figure in found])
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
