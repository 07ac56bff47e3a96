"""How fast is the importance-sampled likelihood: ours, its matrix products alone, and pythae's `get_nll`, on one model.

    python -m benchmarks.evaluation            # a minute, and five for pythae's environment; benchmarks/results/evaluation.json

The model is a VAE with gated layers, 784-300-300-40-300-300-784, with random weights (the time does not depend on them), and both sides
score the same binary images with K = 5000. Each process runs in turn, ours before and after pythae's, and reports the seconds that one
image takes once everything is compiled and warm; the figure for 10,000 images follows, and the table of benchmarks/README.md. pythae
runs without gradients, in its best setting (batches of 1,000 samples); it encodes every image again for each batch, which is part of
its price.
"""

import argparse
import itertools
import json
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.environments import prepare, process_environment, python, versions
from benchmarks.machine import describe
from benchmarks.measured_process import measure
from benchmarks.results import write_between
from benchmarks.tutorial import settled_load

HERE = Path(__file__).parent
RESULT = HERE / "results" / "evaluation.json"
WORK = HERE / ".work" / "evaluation"
BEGIN, END = "<!-- likelihood: begin -->", "<!-- likelihood: end -->"
HIDDEN, LATENT, PIXELS = 300, 40, 784
SAMPLES = 5000
DECODER_PRODUCTS = 2 * LATENT * HIDDEN + 2 * HIDDEN * HIDDEN + HIDDEN * PIXELS
"""Multiplications and additions of one decoded sample: two products for each gated layer, one for the logits."""


def write_model(path: Path) -> None:
    """Weights by the names that both sides read, Glorot-uniform, and binary images."""
    generator = np.random.default_rng(0)

    def dense(inputs: int, outputs: int) -> dict[str, np.ndarray]:
        limit = math.sqrt(6.0 / (inputs + outputs))
        weight = generator.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
        return {"weight": weight, "bias": generator.normal(0, 0.1, outputs).astype(np.float32)}

    layers: dict[str, dict[str, np.ndarray]] = {}
    for part, sizes in (("encoder", (PIXELS, HIDDEN, HIDDEN)), ("decoder", (LATENT, HIDDEN, HIDDEN))):
        for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            for gate in ("value", "gate"):
                layers[f"{part}.network.layers.{index}.{gate}"] = dense(inputs, outputs)
    for head in ("mean", "log_variance"):
        layers[f"encoder.{head}"] = dense(HIDDEN, LATENT)
    layers["decoder.logits"] = dense(HIDDEN, PIXELS)
    arrays = {f"{layer}.{name}": array for layer, both in layers.items() for name, array in both.items()}
    images = (generator.random((200, 28, 28)) < 0.2).astype(np.uint8) * np.uint8(255)
    np.savez(path, images=images, **arrays)


def shared_images(images: int) -> int:
    """How many of them pythae scores, from the first on."""
    return max(2, images // 8)


def ours(model_file: Path, images: int) -> dict[str, Any]:
    """Seconds an image of our estimate and of its matrix products alone, in one process, by turns."""
    import jax
    import jax.numpy as jnp
    import jax.random as jr

    from vaelab.building import build_model
    from vaelab.config import Config
    from vaelab.evaluation.likelihood import importance_weighted_bound
    from vaelab.naming import with_named_arrays

    with np.load(model_file, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    values = {"model.image_shape": [28, 28], "model.latent_dim": LATENT}
    for part in ("encoder", "decoder"):
        values |= {f"model.{part}.hidden": [HIDDEN, HIDDEN], f"model.{part}.activation": "gated"}
    model = with_named_arrays(
        build_model(Config().with_values(values).model, jr.key(0)), arrays, source=str(model_file)
    )
    data = arrays["images"][:images]
    prior = model.prior_density()

    decoder = model.decoder.network.layers
    rows, repeats = 1000, SAMPLES // 1000

    @jax.jit
    def products(z: jax.Array) -> jax.Array:
        """The five products of a decoded chunk, as often as for one image; each feeds the next, so none can be dropped."""

        def chunk(z: jax.Array, _: None) -> tuple[jax.Array, None]:
            value, gate = z @ decoder[0].value.weight, z @ decoder[0].gate.weight
            deeper, deeper_gate = value @ decoder[1].value.weight, gate @ decoder[1].gate.weight
            logits = deeper @ model.decoder.heads["logits"].weight
            return z + 1e-6 * logits[:, :LATENT] + 1e-6 * deeper_gate[:, :LATENT], None

        return jax.lax.scan(chunk, z, None, length=repeats)[0]

    z = jr.normal(jr.key(1), (rows, LATENT))

    def timed_products() -> float:
        begun = time.perf_counter()
        jax.block_until_ready(products(z))
        return time.perf_counter() - begun

    def timed_estimate() -> tuple[float, float]:
        """Seconds an image, and the mean of the images that pythae scores too."""
        begun = time.perf_counter()
        estimates = importance_weighted_bound(model, prior, data, samples=SAMPLES, key=jr.key(2))
        return (time.perf_counter() - begun) / len(data), float(-estimates.log_prob[: shared_images(images)].mean())

    timed_products(), timed_estimate()
    found = []
    for _ in range(3):
        bound = median(timed_products() for _ in range(10))
        seconds, nll = timed_estimate()
        found.append(
            {"seconds_an_image": seconds, "products_seconds_an_image": bound, "share": bound / seconds, "nll": nll}
        )
    assert jnp.isfinite(found[0]["nll"])
    return {"turns": found}


def table(result: dict[str, Any]) -> str:
    """Both libraries' time, memory and estimate as Markdown, then what was measured and where."""
    summary, machine, counts = result["summary"], result["machine"], result["images"]
    runs = {run["name"]: run for run in result["runs"]}
    ratio, seconds = summary["pythae_over_vaelab"], summary["seconds_10000_images"]
    lines = [
        "| | 10,000 images x 5,000 samples, min | of ours | of the bound | MiB | NLL of the same images |",
        "| --- | --: | --: | --: | --: | --: |",
        (
            f"| **vaelab** `importance_weighted_bound` | {seconds / 60:.1f} | 1.0 | {100 * summary['share_of_bound']:.0f} % "
            f"| {summary['peak_mib']} | {runs['vaelab']['turns'][0]['nll']:.2f} |"
        ),
        (
            f"| pythae {result['versions']['pythae']} `get_nll` | {seconds * ratio / 60:.1f} | {ratio:.1f} | "
            f"| {runs['pythae']['peak_mib']} | {runs['pythae']['nll']:.2f} |"
        ),
        "",
        (
            f"Measured {result['date']} on {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; medians of "
            f"{counts['vaelab']} images of ours, by turns with the products, before and after {counts['pythae']} of pythae's on PyTorch "
            f"{result['versions']['torch']}; load before a run at most {max(run['load_before'] for run in result['runs']):.2f}."
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=80, help="of ours; pythae scores an eighth as many")
    parser.add_argument("--ours", metavar="MODEL", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ours:
        print(json.dumps(ours(Path(chosen.ours), chosen.images)))
        return
    WORK.mkdir(parents=True, exist_ok=True)
    model_file = WORK / "model.npz"
    write_model(model_file)
    prepare("pythae")
    log = WORK / "log.txt"
    result: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe(),
        "versions": versions("pythae"),
        "samples": SAMPLES,
        "images": {"vaelab": chosen.images, "pythae": shared_images(chosen.images)},
        "runs": [],
    }
    own = [sys.executable, "-m", "benchmarks.evaluation", "--ours", str(model_file), "--images", str(chosen.images)]
    peer = [
        str(python("pythae")),
        str(HERE / "peers" / "pythae_likelihood.py"),
        str(model_file),
        str(shared_images(chosen.images)),
        str(SAMPLES),
    ]
    for name, command in (("vaelab", own), ("pythae", peer), ("vaelab", own)):
        variables = process_environment(name, WORK / "cache")
        if name == "vaelab":
            variables["PYTHONPATH"] = str(HERE.parent / "src")
        load = settled_load()
        measured = measure(command, folder=HERE.parent, variables=variables, log=log)
        report = json.loads(log.read_text().strip().splitlines()[-1])
        peak = round(measured.peak_bytes / 2**20)
        result["runs"].append({"name": name, "load_before": round(load, 2), "peak_mib": peak, **report})
        print(f"{name}: {json.dumps(result['runs'][-1])}")
    turns = [turn for run in result["runs"] if run["name"] == "vaelab" for turn in run["turns"]]
    seconds, share = median(turn["seconds_an_image"] for turn in turns), median(turn["share"] for turn in turns)
    theirs = next(run for run in result["runs"] if run["name"] == "pythae")["seconds_an_image"]
    peak = max(run["peak_mib"] for run in result["runs"] if run["name"] == "vaelab")
    result["summary"] = {
        "share_of_bound": share,
        "seconds_10000_images": 1e4 * seconds,
        "pythae_over_vaelab": theirs / seconds,
        "peak_mib": peak,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    write_between(BEGIN, END, table(result))
    print(
        f"10,000 images x {SAMPLES} samples: {1e4 * seconds / 60:.1f} min, {100 * share:.0f} % of the bound of the matrix products, "
        f"{peak} MiB; pythae takes {theirs / seconds:.1f} times as long"
    )


if __name__ == "__main__":
    main()
