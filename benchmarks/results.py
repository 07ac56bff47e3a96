"""Results on disk, one file a job, and the table that is made from them."""

import json
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.jobs import JOBS, WORK

PUBLISHED_EPOCHS = 20
FOLDER = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

Result = dict[str, Any]


def path_of(job: str, epochs: int) -> Path:
    """Only runs of the tutorial's full length are results; shorter ones, which prove that all works, lie elsewhere."""
    folder = FOLDER if epochs == PUBLISHED_EPOCHS else WORK / f"results-{epochs}-epochs"
    return folder / f"tutorial-{job}.json"


def read(job: str, epochs: int) -> Result | None:
    path = path_of(job, epochs)
    return json.loads(path.read_text()) if path.exists() else None


def write(job: str, epochs: int, result: Result) -> None:
    path = path_of(job, epochs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def steady_epoch(result: Result) -> float:
    """The median seconds of an epoch with its validation, without the first of each run, which compiles or warms up."""
    return median(seconds for run in result["runs"] for seconds in run["epoch_seconds"][1:] or run["epoch_seconds"])


def table(epochs: int) -> str:
    """The results measured beside Keras on TensorFlow as Markdown: a row a job, ratios to it, then the sentence on the bound."""
    stored = {name: found for name in JOBS if (found := read(name, epochs)) is not None}
    base = stored.get("keras-tensorflow")
    # seconds of another machine or another day do not belong beside these
    results = {name: found for name, found in stored.items() if base is None or _together(found, base)}
    lines = [
        "| | whole process, s | of Keras on TensorFlow | steady epoch, s | of Keras on TensorFlow | MiB | val_loss |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for name, result in results.items():
        if name == "steady-epoch":
            continue
        whole = median(run["seconds"] for run in result["runs"])
        epoch = steady_epoch(result)
        cells = [
            JOBS[name].title.format(**result["versions"]),
            f"{whole:.1f}",
            f"{whole / median(run['seconds'] for run in base['runs']):.2f}" if base else "",
            f"{epoch:.2f}",
            f"{epoch / steady_epoch(base):.2f}" if base else "",
            f"{max(run['peak_bytes'] for run in result['runs']) / 2**20:.0f}",
            f"{median(run['val_loss'][-1] for run in result['runs']):.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if "steady-epoch" in results:
        lines += ["", bound_sentence(results["steady-epoch"])]
    if results:
        lines += ["", provenance(results)]
    return "\n".join(lines)


def _together(result: Result, base: Result) -> bool:
    """Whether a job was measured on the machine of the base, and on its day."""
    return result["machine"] == base["machine"] and result["runs"][-1]["date"][:10] == base["runs"][-1]["date"][:10]


def bound_sentence(result: Result) -> str:
    training, validation, products = (
        median(seconds for run in result["runs"] for seconds in run[part])
        for part in ("training", "validation", "products")
    )
    return (
        f"The bound: the five matrix products of 600 steps alone take {products:.2f} s; our steady training epoch, by "
        f"turns with them in one process, takes {training:.2f} s, **{training / products:.2f} times the bound** "
        f"(validation takes {validation:.2f} s more)."
    )


def provenance(results: dict[str, Result]) -> str:
    """When, where and how often."""
    machines = {json.dumps(result["machine"], sort_keys=True): result["machine"] for result in results.values()}
    places = "; ".join(
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
        for machine in machines.values()
    )
    dates = sorted({run["date"][:10] for result in results.values() for run in result["runs"]})
    counts = sorted({len(result["runs"]) for result in results.values()})
    busiest = max(run["load_before"] for result in results.values() for run in result["runs"])
    return (
        f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))} on {places}; "
        f"median of {' to '.join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))} run(s); "
        f"load before a run at most {busiest:.2f}."
    )


def write_table() -> None:
    """Put the table of the full-length results between the README's markers."""
    write_between(BEGIN, END, table(PUBLISHED_EPOCHS))


def write_between(begin: str, end: str, words: str) -> None:
    """Put `words` between two markers of the README."""
    before, _, rest = README.read_text().partition(begin)
    _, _, after = rest.partition(end)
    README.write_text(f"{before}{begin}\n{words}\n{end}{after}")
