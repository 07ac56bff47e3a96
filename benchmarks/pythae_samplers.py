"""pythae's samplers and ours: the same networks, epochs and data, both measured by vaelab's evaluation.

    python -m benchmarks.pythae_samplers              # long; makes docs/results/pythae.json and docs/results.md
    python -m benchmarks.pythae_samplers --only 2-D

Both train on the 50,000 images that MNIST keeps for training here (10,000 of the 60,000 are left out), each pixel drawn anew each time,
with Adam, and keep the last weights; nothing is selected. pythae's VAE is sampled by its NormalSampler, GaussianMixtureSampler and
MAFSampler, its VAMP by its VAMPSampler; ours with the trained prior and with a fitted mixture and flow. All is by each library's
defaults but the schedule of pythae's flow, which is about ours: 60 epochs in batches of 500 (its own, 78,000 steps at 1e-4, would take
longer than all else).

pythae's weights come over as arrays into a vaelab model, so that both are scored by one program, under the density that a sampler draws
from: pythae computes none, but the mixture's parameters, the flow's weights and the pseudo-inputs define it. The Fréchet digit distance
is of the images as each sampler draws them.

Stopped, it goes on where it was: every step leaves its files in `benchmarks/.work/pythae-samplers`, every finished row is in the JSON.
"""

import argparse
import dataclasses
import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from filelock import FileLock
from jaxtyping import Array, Float, PRNGKeyArray

from benchmarks.environments import FOLDER, ROOT, prepare, process_environment, python, versions
from vaelab import __version__
from vaelab.building import build_model
from vaelab.config import Config
from vaelab.data import load_data
from vaelab.densities import AbstractDensity, DiagonalNormal, Mixture, standard_normal
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.feature_distances import frechet_distance
from vaelab.evaluation.feature_networks import digit_classifier
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.evaluation.likelihood import importance_weighted_bound
from vaelab.evaluation.prior_fit import prior_fit
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.evaluation.reconstruction import sample_means
from vaelab.fitting import fit_prior
from vaelab.fitting.descent import LARGEST_BATCH, ROUNDS
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.naming import with_named_arrays
from vaelab.pixels import seen_once
from vaelab.priors.mixture import MixturePrior
from vaelab.reproduction import write_page
from vaelab.reproduction.page import PEER
from vaelab.reproduction.records import add_record, is_done, read_records
from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely
from vaelab.training import TrainingData, train
from vaelab.training.beginning import resolve

WORK = ROOT / "benchmarks" / ".work" / "pythae-samplers"
SCRIPT = ROOT / "benchmarks" / "peers" / "pythae_samplers.py"
RESULTS, PAGE = ROOT / "docs" / "results", ROOT / "docs" / "results.md"
COMMAND = "python -m benchmarks.pythae_samplers"


@dataclasses.dataclass(frozen=True)
class Network:
    """What both sides train. `samples`: K of the likelihood, on the first `images` test images; None: by quadrature, on all."""

    name: str
    title: str
    hidden: tuple[int, ...]
    latent: int
    epochs: int
    samples: int | None
    images: int
    components: int = 100
    batch: int = 100
    learning_rate: float = 1e-3
    seed: int = 0

    @property
    def folder(self) -> Path:
        return WORK / (f"{self.name}-{self.seed}" if self.seed else self.name)

    @property
    def text(self) -> str:
        widths = "-".join(map(str, (784, *self.hidden, self.latent, *self.hidden[::-1], 784)))
        scored = "exact" if self.samples is None else f"by {self.samples:,} importance samples"
        which = "" if self.images == 10_000 else "first "
        return (
            f"{widths}, ReLU, Adam at {self.learning_rate:g}, batches of {self.batch}, the last weights; "
            f"{self.components} pseudo-inputs, begun as each library does. NLL on the {which}{self.images:,} test images, {scored}."
        )

    def config(self, prior: str) -> Config:
        values: dict[str, Any] = {
            "seed": self.seed,
            "data.pixels": "dynamic",
            "data.validation": "none",
            "model.latent_dim": self.latent,
            "model.encoder.hidden": list(self.hidden),
            "model.decoder.hidden": list(self.hidden[::-1]),
            "model.prior.kind": prior,
            "training.epochs": self.epochs,
            "training.batch_size": self.batch,
            "training.optimiser": "adam",
            "training.learning_rate": self.learning_rate,
            "training.snapshots": 0,
        }
        if prior == "vamp":
            values |= {"model.prior.components": self.components}
        return Config().with_values(values)


NETWORKS = (
    Network("40-D", "Forty latent dimensions", (300, 300), 40, 30, 5000, 2000),
    Network("2-D", "Two latent dimensions", (256,), 2, 20, None, 10_000),
)


# --- the data, alike for both -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Images:
    """uint8: grey training and test images, and both drawn once to 0 and 255, as in the other tables."""

    train: np.ndarray
    train_drawn: np.ndarray
    test: np.ndarray
    test_drawn: np.ndarray

    @classmethod
    def load(cls) -> "Images":
        data = load_data("mnist")
        train, test = data.train.images, data.test.images
        return cls(train, seen_once(train, "dynamic", 1), test, seen_once(test, "dynamic", 0))

    @functools.cached_property
    def test_features(self) -> np.ndarray:
        return digit_classifier()(self.test, "test images")


# --- pythae's side ------------------------------------------------------------------------------------------------------------------


def pythae(network: Network, images: Images, step: str, what: str) -> dict[str, Any]:
    """The report of one step in pythae's environment, made unless it is there."""
    folder = network.folder
    report = folder / f"pythae-{step}-{what}.json"
    if report.exists():
        return json.loads(report.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "images.npz").exists():
        np.savez(folder / "images-new.npz", train=images.train, train_drawn=images.train_drawn)
        (folder / "images-new.npz").replace(folder / "images.npz")
    setting = {
        "hidden": network.hidden,
        "latent": network.latent,
        "epochs": network.epochs,
        "batch": network.batch,
        "learning_rate": network.learning_rate,
        "components": network.components,
        "samples": len(images.test),
        "flow_epochs": ROUNDS,
        "flow_batch": LARGEST_BATCH,
        "threads": 1,
        "seed": network.seed,
    }
    (folder / "setting.json").write_text(json.dumps(setting))
    command = [str(python("pythae")), str(SCRIPT), "setting.json", step, what]
    log = folder / f"pythae-{step}-{what}.log"
    with log.open("w") as output:
        environment = process_environment("pythae", FOLDER / "pythae" / "cache")
        done = subprocess.run(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(
            f"`{' '.join(command)}` ended with {done.returncode}; the end of {log}:\n{log.read_text()[-2000:]}"
        )
    found = json.loads(log.read_text().strip().splitlines()[-1])
    write_bytes_safely(report, json.dumps(found).encode())
    return found


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def carried_over(network: Network, kind: str) -> Model:
    """pythae's trained weights in a vaelab model."""
    path = network.folder / f"pythae-{kind}.npz"
    config = network.config("vamp" if kind == "VAMP" else "normal").with_values({"model.image_shape": [28, 28]})
    shapes = eqx.filter_eval_shape(build_model, config.model, jr.key(0))
    return with_named_arrays(shapes, arrays_of(path) | {"prior.bounds": np.array([0.0, 1.0])}, source=str(path))


class MaskedAutoregressiveFlow(AbstractDensity):
    """pythae's MAF as a density: u = (z - m(z)) exp(-a(z)) in each block, then the entries in reverse; u ~ N(0, I).

    Papamakarios, Pavlakou and Murray, "Masked autoregressive flow for density estimation", NeurIPS 2017, eqs. 4 and 5. `blocks` holds
    each MADE's dense layers, masks multiplied in.
    """

    blocks: tuple[tuple[tuple[Array, Array], ...], ...]
    latent: int = eqx.field(static=True)

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray], latent: int) -> "MaskedAutoregressiveFlow":
        blocks: dict[int, dict[int, tuple[Array, Array]]] = {}
        for name in arrays:
            if name.endswith(".weight"):
                block, layer, _ = name.split(".")
                pair = (jnp.asarray(arrays[name]), jnp.asarray(arrays[f"{block}.{layer}.bias"]))
                blocks.setdefault(int(block), {})[int(layer)] = pair
        return cls(tuple(tuple(layers[i] for i in sorted(layers)) for _, layers in sorted(blocks.items())), latent)

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        log_determinant = jnp.zeros(())
        for block in self.blocks:
            mean, log_scale = shift_and_scale(block, value)
            value = ((value - mean) * jnp.exp(-log_scale))[::-1]
            log_determinant -= jnp.sum(log_scale)
        return standard_normal(self.latent).log_prob(value) + log_determinant

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        value = jr.normal(key, (self.latent,))
        for block in self.blocks[::-1]:
            value = value[::-1]

            def next_entry(i: Array, found: Array, block: Any = block, value: Array = value) -> Array:
                mean, log_scale = shift_and_scale(block, found)
                return found.at[i].set(value[i] * jnp.exp(log_scale[i]) + mean[i])

            value = jax.lax.fori_loop(0, self.latent, next_entry, jnp.zeros(self.latent))
        return value


def shift_and_scale(block: tuple[tuple[Array, Array], ...], value: Array) -> tuple[Array, Array]:
    for weight, bias in block[:-1]:
        value = jax.nn.relu(value @ weight + bias)
    weight, bias = block[-1]
    mean, log_scale = jnp.split(value @ weight + bias, 2)
    return mean, log_scale


def checked_flow(arrays: dict[str, np.ndarray], latent: int) -> MaskedAutoregressiveFlow:
    """The copy, which must give pythae's own log-densities."""
    flow = MaskedAutoregressiveFlow.of(arrays, latent)
    ours = np.asarray(jax.vmap(flow.log_prob)(jnp.asarray(arrays["points"])))
    np.testing.assert_allclose(ours, arrays["log_probs"], rtol=1e-4, atol=1e-3)
    return flow


def sampled_by_vamp_sampler(model: Model) -> Mixture:
    """What VAMPSampler draws from: every pseudo-input's posterior, its log-variance v replaced by tanh(v).

    Its batches hold every pseudo-input once, where there are no more of them than a batch has images: equal weights.
    """
    trained = model.prior_density()
    assert isinstance(trained, Mixture)
    assert isinstance(trained.components, DiagonalNormal)
    squashed = DiagonalNormal(trained.components.mean, jnp.tanh(trained.components.log_variance))
    return Mixture(trained.log_weights, squashed)


# --- rows ---------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Row:
    """One sampler. `make` gives the model, the density that the sampler draws from, its images, and the seconds of its fit."""

    library: str
    model: str
    sampler: str
    make: Callable[[Network, Images], tuple[Model, AbstractDensity, np.ndarray, float]]
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.library} {self.model}", self.sampler


def of_pythae(kind: str, sampler: str) -> Callable[..., tuple[Model, AbstractDensity, np.ndarray, float]]:
    def make(network: Network, images: Images) -> tuple[Model, AbstractDensity, np.ndarray, float]:
        seconds = pythae(network, images, "sample", sampler)["seconds"]
        arrays = arrays_of(network.folder / f"pythae-{sampler}-samples.npz")
        model = carried_over(network, kind)
        if sampler == "mixture":
            scales = np.linalg.cholesky(arrays["covariances"])
            density = MixturePrior.of(arrays["weights"], arrays["means"], scales).density()
        elif sampler == "maf":
            density = checked_flow(arrays, network.latent)
        else:
            density = sampled_by_vamp_sampler(model) if sampler == "vamp" else model.prior_density()
        return model, density, arrays["images"], seconds

    return make


def pythae_vamp_drawn_by_us(network: Network, images: Images) -> tuple[Model, AbstractDensity, np.ndarray, float]:
    model = carried_over(network, "VAMP")
    return model, model.prior_density(), sample_means(model, jr.key(network.seed), len(images.test)), 0.0


def of_ours(trained: str, fitted: str | None) -> Callable[..., tuple[Model, AbstractDensity, np.ndarray, float]]:
    def make(network: Network, images: Images) -> tuple[Model, AbstractDensity, np.ndarray, float]:
        model = load_model(Run.open(network.folder / f"vaelab-{trained}"))
        seconds = 0.0
        if fitted is not None:
            fit = fit_prior(model, images.train, fitted, pixels="dynamic", seed=network.seed)
            model, seconds = eqx.tree_at(lambda model: model.prior, model, fit.prior), fit.seconds
        return model, model.prior_density(), sample_means(model, jr.key(network.seed), len(images.test)), seconds

    return make


SHORTER = f"{ROUNDS} epochs in batches of {LARGEST_BATCH} at 1e-3, about as our flow, in place of 100 in batches of 64 at 1e-4"
SQUASHED = "VAMPSampler takes tanh(v) for the log-variance v of a pseudo-input's posterior; the NLL is under what it draws from"
ROWS = (
    Row("pythae", "VAE", "NormalSampler", of_pythae("VAE", "normal")),
    Row("pythae", "VAE", "GaussianMixtureSampler", of_pythae("VAE", "mixture")),
    Row("pythae", "VAE", "MAFSampler", of_pythae("VAE", "maf"), SHORTER),
    Row("pythae", "VAMP", "VAMPSampler", of_pythae("VAMP", "vamp"), SQUASHED),
    Row("pythae", "VAMP", "the prior it trained, drawn by vaelab", pythae_vamp_drawn_by_us),
    Row("vaelab", "normal", "trained", of_ours("normal", None)),
    Row("vaelab", "normal", "mixture, fitted", of_ours("normal", "mixture")),
    Row("vaelab", "normal", "flow, fitted", of_ours("normal", "flow")),
    Row("vaelab", "vamp", "trained", of_ours("vamp", None)),
)
FIRST = {row.library: row for row in reversed(ROWS)}
"""The rows that gains are measured against: each library's normal prior."""


def training_seconds(network: Network, images: Images, row: Row) -> float:
    """Train the row's model unless that is done; the seconds of its epochs."""
    if row.library == "pythae":
        return pythae(network, images, "train", row.model)["seconds"]
    config = network.config(row.model)
    data = TrainingData(images.train, None)
    config = resolve(config, data)
    folder = network.folder / f"vaelab-{row.model}"
    run = Run.open(folder) if (folder / "config.toml").is_file() else Run.create(folder, config)
    if run.config != config:
        raise RuntimeError(f"{folder}: holds a run of another configuration; delete it")
    train(config, data, run=run, facts={"data": "mnist"})
    return sum(line["seconds"] for line in run.metrics())


def measure(network: Network, row: Row, images: Images) -> dict[str, Any]:
    """The row's record. Its log p(x) of each image is kept, for gains."""
    model, density, drawn, fitting = row.make(network, images)
    key = jr.key(network.seed)
    scored = images.test_drawn[: network.images]
    over = f"{len(scored):,} test images"
    figures: dict[str, Figure] = {}
    if network.samples is None:
        exact = exact_log_probs(model, density, scored)
        log_probs = exact.log_prob
        figures["nll_quadrature"] = mean_figure(-log_probs, over)
        figures["halving_error"] = Figure(float(exact.error.mean()), None, over, len(scored))
    else:
        estimates = importance_weighted_bound(model, density, scored, samples=network.samples, key=jr.fold_in(key, 0))
        log_probs = estimates.log_prob
        figures["nll_importance"] = mean_figure(-log_probs, over)
    np.save(scores(network, row), log_probs)
    if row is not FIRST[row.library]:
        before = np.load(scores(network, FIRST[row.library]), allow_pickle=False)
        figures["gain_over_normal"] = mean_figure(log_probs - before, f"{over}, paired")
    held_out, training = (AggregatePosterior.of(model, part) for part in (images.test_drawn, images.train_drawn))
    fit = prior_fit(density, held_out, training, key=jr.fold_in(key, 1))
    figures |= {"hole_fraction": fit.hole_fraction, "uncovered_fraction": fit.uncovered_fraction}
    seen = digit_classifier()(np.clip(drawn, 0.0, 1.0), "samples")
    figures["frechet_digit_distance"] = frechet_distance(seen, images.test_features, resamples=20, seed=network.seed)
    return {
        "fitting_seconds": round(fitting, 1),
        "figures": {name: dataclasses.asdict(figure) for name, figure in figures.items()},
    }


def scores(network: Network, row: Row) -> Path:
    return network.folder / f"scores-{row.library}-{row.model}-{row.sampler.partition(',')[0].replace(' ', '-')}.npy"


# --- the whole ----------------------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[network.name for network in NETWORKS], help="one of the two networks")
    parser.add_argument("--library", choices=list(FIRST), help="one side's rows")
    parser.add_argument("--seed", type=int, default=0, help="of everything; the page shows the spread of several")
    parser.add_argument("--train", action="store_true", help="train, and stop there")
    chosen = parser.parse_args()
    prepare("pythae")
    images = Images.load()
    known = versions("pythae")
    for network in NETWORKS:
        if chosen.only in (None, network.name):
            network = dataclasses.replace(network, seed=chosen.seed)
            network.folder.mkdir(parents=True, exist_ok=True)
            for row in (row for row in ROWS if chosen.library in (None, row.library)):
                make(network, row, images, known, only_train=chosen.train)


def make(network: Network, row: Row, images: Images, known: dict[str, str], *, only_train: bool) -> None:
    name, sampler = f"{network.name} {row.key[0]}", row.sampler
    needed = row is FIRST[row.library] and not scores(network, row).exists()
    if is_done(read_records(RESULTS, PEER), name, sampler, network.seed) and not needed:
        return
    seconds = training_seconds(network, images, row)
    if only_train:
        return
    say(f"{name}, {sampler}")
    begun = time.monotonic()
    record = {
        "row": name,
        "prior": sampler,
        "seed": network.seed,
        "network": network.title,
        "text": network.text,
        "order": ROWS.index(row),
        "library": f"{row.library} {known['pythae'] if row.library == 'pythae' else __version__}",
        "model": row.model,
        **measure(network, row, images),
        "importance_samples": network.samples,
        "pixels": "dynamic",
        "split": f"{len(images.train):,} / 0 / {len(images.test):,}",
        "epochs": network.epochs,
        "note": row.note,
        "training_seconds": round(seconds, 1),
        "measuring_seconds": round(time.monotonic() - begun, 1),
        "cores": 1,
        "command": COMMAND,
    }
    with FileLock(WORK / ".lock"):  # both sides may be made at once
        add_record(RESULTS, PEER, record)
        write_page(RESULTS, PAGE)
    shown = ", ".join(f"{key} {figure['value']:.4g}" for key, figure in record["figures"].items())
    say(f"{name}, {sampler}: {shown} ({record['measuring_seconds']:.0f} s)")


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # one core for both sides, before either counts them
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    sys.exit(main())
