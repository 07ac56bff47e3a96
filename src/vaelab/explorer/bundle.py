"""The explorer's bundle: everything that the page shows, as columns of numbers and a manifest.

One safetensors file holds what is to be seen (`view`): latents, labels, small images, priors, baked figures, curves, snapshots. The
weights come apart, so that the page can be looked at before they are there. What each column is stands in docs/explorer.md.
"""

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, Shaped
from safetensors.numpy import save as format_tensors
from scipy.spatial import KDTree
from scipy.special import logsumexp
from scipy.stats import norm

from vaelab.batching import equal_pieces
from vaelab.errors import VaelabError
from vaelab.explorer.economy import Economy, can_be_smaller, light_columns, light_manifest, smaller_networks
from vaelab.explorer.explored import Explored, as_label, with_decoder
from vaelab.explorer.prior_columns import prior_columns
from vaelab.generating import Encoded, decode
from vaelab.generating.pictures import as_levels
from vaelab.graph import UnknownOperation, multiplications
from vaelab.kinds import PRIORS
from vaelab.labels import called
from vaelab.language import translated
from vaelab.model import Model
from vaelab.model_graph import operation_graph, part_graphs
from vaelab.naming import named_arrays
from vaelab.training.snapshots import Snapshot
from vaelab.version import __version__

FORMAT = "vaelab-explorer-1"

MANIFOLD_SIDE = 15
MANIFOLD_PLACES: list[float] = norm.ppf(np.linspace(0.05, 0.95, MANIFOLD_SIDE)).tolist()
"""Quantiles of N(0, 1), both axes of the decoded grid (Kingma and Welling 2014, appendix A)."""

PAGE_MULTIPLICATIONS = 24_000_000
"""A network of more multiply-adds than this is run by the server: in the page it would take longer than a frame."""

DIGIT_DATA = {"mnist", "kmnist", "digits"}
"""Data whose images were normalised as MNIST's digits: a drawing is, too."""

CENTRED_IMAGES = 200
"""Of images without a name, so many are looked at."""

QUANTILES = 101
QUANTILE_DRAWS = 2000
QUANTILE_CHUNK = 200


STEPS = ("latents", "grid", "replay", "densities", "priors")
"""What the first view waits for, in its order, for each run."""


@dataclass
class Progress:
    """How far a bundle's first view is: so many of all steps, and the one that is under way."""

    steps: int
    begun: int = 0
    step: str = ""

    def said(self, step: str) -> None:
        self.begun, self.step = self.begun + 1, step

    def finished(self) -> None:
        self.said("priors")

    def as_json(self) -> dict[str, Any]:
        return {"step": self.step, "share": min(1.0, self.begun / self.steps)}


@dataclass(frozen=True)
class Bundle:
    """One or two models as the page is given them."""

    explored: tuple[Explored, ...]

    @property
    def name(self) -> str:
        return "-".join(one.name for one in self.explored)

    @cached_property
    def view(self) -> bytes:
        """The manifest and every column, a safetensors file."""
        return self._view(self._whole)

    @cached_property
    def first_view(self) -> bytes:
        """The same without the priors that the page does not begin with: they come one by one (`prior_file`), and their entries say so."""
        found = []
        for run, (manifest, columns) in enumerate(self._runs):
            first = manifest["prior"]
            entries = [
                entry if number == first else {**entry, "pending": True}
                for number, entry in enumerate(manifest["priors"])
            ]
            if first >= 0:
                entries[first], own = self.prior(run, first)
                columns = columns | own
            found.append(({**manifest, "priors": entries}, columns))
            self.progress.finished()
        return self._view(found)

    def prior_file(self, run: int, number: int) -> bytes:
        """One prior of a run: its columns, and its entry of the manifest as metadata `prior`.

        Raises:
            IndexError: where there is none of that number.
        """
        entry, columns = self.prior(run, number)
        named = {f"{run}/{name}": np.ascontiguousarray(array) for name, array in columns.items()}
        return format_tensors(named, metadata={"prior": json.dumps(entry)})

    def prior(self, run: int, number: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The manifest's entry of a prior, and its columns; computed once."""
        with self._lock:
            if (run, number) not in self._priors:
                explored = self.explored[run]
                name, model = list(explored.priors.items())[number]
                reach = max(3.5, float(np.abs(explored.encoded.mean).max()) * 1.05)
                entry, own = prior_columns(model, reach)
                columns = {f"prior/{number}/{column}": array for column, array in own.items()}
                self._priors[run, number] = {"name": name, **entry}, columns
            return self._priors[run, number]

    @cached_property
    def _priors(self) -> dict[tuple[int, int], tuple[dict[str, Any], dict[str, np.ndarray]]]:
        return {}

    @cached_property
    def _lock(self) -> threading.RLock:
        return threading.RLock()

    @cached_property
    def progress(self) -> "Progress":
        """How far the first view is."""
        return Progress(len(self.explored) * (len(STEPS) + 1))

    def light_view(self, economy: Economy) -> bytes:
        """The same for a file to give away, without what it leaves out; `left_out` in a run's entry says what that is."""
        columns = [
            light_columns(own, one.model.image_shape, economy)
            for (_, own), one in zip(self._whole, self.explored, strict=True)
        ]
        return self._view(list(zip(self.light_manifests(economy), columns, strict=True)))

    def light_manifests(self, economy: Economy) -> list[dict[str, Any]]:
        """Each run's entry in the manifest of `light_view`."""
        return [
            light_manifest(manifest, one.model.image_shape, economy)
            for (manifest, _), one in zip(self._whole, self.explored, strict=True)
        ]

    def _view(self, found: Sequence[tuple[dict[str, Any], dict[str, np.ndarray]]]) -> bytes:
        columns: dict[str, np.ndarray] = {}
        runs = []
        for number, (manifest, own) in enumerate(found):
            runs.append(manifest)
            columns |= {f"{number}/{name}": np.ascontiguousarray(array) for name, array in own.items()}
        manifest = {"format": FORMAT, "version": __version__, "title": self.name, "runs": runs}
        return format_tensors(columns, metadata={"manifest": json.dumps(manifest)})

    @cached_property
    def _runs(self) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Each run's entry and columns but for its priors, of which the entry has only the names and kinds."""
        return [_run_columns(one, self.progress.said) for one in self.explored]

    @cached_property
    def _whole(self) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Each run's entry and all its columns."""
        found = []
        for run, (manifest, columns) in enumerate(self._runs):
            priors = [self.prior(run, number) for number in range(len(manifest["priors"]))]
            found.append(
                (
                    {**manifest, "priors": [entry for entry, _ in priors]},
                    columns | {name: array for _, own in priors for name, array in own.items()},
                )
            )
        return found

    def as_label(self, label: int) -> "Bundle":
        """The models that see labels decoded as another one.

        Raises:
            VaelabError: for a label that one of them does not know.
        """
        return Bundle(tuple(as_label(one, label) for one in self.explored))

    @property
    def networks_can_be_smaller(self) -> bool:
        """Whether those that run in the page can be made for smaller pictures."""
        graphs = [operation_graph(one.model) for one in self.explored]
        return all(graph is None or can_be_smaller(graph) for graph in graphs)

    @cached_property
    def not_decoded(self) -> tuple[str, ...]:
        """The models that no page decodes without Python beside it, each with the reason, in words."""
        return tuple(
            f"{manifest['name']} is decoded by Python alone ({manifest['engine']['reason']}), so this file shows it and decodes nothing"
            for manifest, _ in self._runs
            if manifest["engine"]["place"] == "server"
        )

    def weights(self, run: int, *, half: bool = False, economy: Economy | None = None) -> bytes:
        """Encoder and decoder of a run with their operation graph; for smaller pictures where the economy has such.

        Raises:
            VaelabError: where the page does not know an operation of theirs.
        """
        explored = self.explored[run]
        model, graph = explored.model, _graph_of(explored)
        arrays = named_arrays({"encoder": model.encoder, "decoder": model.decoder})
        if economy is not None and economy.share < 1.0:
            arrays, graph = smaller_networks(arrays, graph, model.image_shape, economy.side(model.image_shape))
        return _weights_file(arrays, graph, half=half)

    def snapshot(self, run: int, epoch: int) -> bytes:
        """The decoder of a run as it was after so many epochs, in half precision.

        Raises:
            VaelabError: where there is no snapshot of that epoch, or the page does not know an operation of the model's.
        """
        explored = self.explored[run]
        for snapshot in explored.snapshots:
            if snapshot.epoch == epoch:
                return _weights_file(snapshot.decoder, {"decoder": _graph_of(explored)["decoder"]}, half=True)
        raise VaelabError(translated("{name}: has no snapshot of epoch {epoch}", name=explored.name, epoch=epoch))


def _graph_of(explored: Explored) -> dict[str, Any]:
    graph = operation_graph(explored.model)
    if graph is None:
        raise VaelabError(
            translated(
                "{name}: is decoded by Python alone; the page does not know {reason}",
                name=explored.name,
                reason=engine_for(explored.model)[1],
            )
        )
    return graph


def _weights_file(arrays: Mapping[str, np.ndarray], graph: Mapping[str, Any], *, half: bool) -> bytes:
    kind = np.float16 if half else np.float32
    used = {name: np.ascontiguousarray(array, kind) for name, array in arrays.items() if name in _tensors_of(graph)}
    return format_tensors(used, metadata={"format": "vaelab-model-1", "graph": json.dumps(graph)})


def _tensors_of(graph: Mapping[str, Any]) -> set[str]:
    nodes = [node for part in graph.values() for node in part["nodes"]]
    return {node[field] for node in nodes for field in ("weight", "bias") if field in node}


# --- one run ------------------------------------------------------------------------------------------------------------------------


def _run_columns(explored: Explored, at_step: Callable[[str], None]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A run's entry in the manifest, and its columns, without its priors; `at_step` is called with each of the `STEPS` as it begins."""
    model = explored.model
    at_step("latents")
    encoded = explored.encoded
    low, high = explored.shown
    height, width, channels = explored.shape
    columns: dict[str, np.ndarray] = {
        "means": encoded.mean,
        "indices": _numbers(explored),
        "thumbnails": as_levels(explored.images, low=low, high=high),
        "kl": divergence_per_dimension(encoded),
    }
    if encoded.log_variance is not None:
        columns["log_variances"] = encoded.log_variance
    if explored.labels is not None:
        columns["labels"] = explored.labels.astype(np.int32)
    if model.latent_dim == 2:
        at_step("grid")
        columns["manifold"] = manifold(model, explored.shown)

    priors = [{"name": name, "kind": PRIORS.name_of(one.prior)} for name, one in explored.priors.items()]
    at_step("replay")
    snapshots = _snapshot_columns(explored, columns)

    names = list(explored.priors)
    at_step("densities")
    place, reason = engine_for(model)
    manifest = {
        "name": explored.name,
        "data": explored.data,
        "split": explored.split,
        "shown": len(explored.images),
        "total": explored.total,
        "latent_dim": model.latent_dim,
        "image": {"height": height, "width": width, "channels": channels, "low": low, "high": high},
        "normalise": "mnist" if channels == 1 and _as_mnist(explored, height, width) else "fit",
        "label_names": None if explored.label_names is None else list(explored.label_names),
        "posterior": "gaussian" if encoded.log_variance is not None else "deterministic",
        "likelihood": {"kind": model.likelihood_kind, **explored.likelihood},
        "pixels": explored.pixels,
        "beta": explored.beta,
        "priors": priors,
        "prior": names.index(explored.first_prior) if explored.first_prior in names else min(0, len(names) - 1),
        "engine": {"place": place, "reason": reason},
        "manifold": {"z": MANIFOLD_PLACES},
        "labels": labels_of(explored),
        "metrics": [_finite(record) for record in explored.metrics],
        "snapshots": snapshots,
        "density_quantiles": density_quantiles(encoded, encoded.draw),
        "mean_density_quantiles": density_quantiles(encoded, encoded.mean),
        "distance_quantiles": distance_quantiles(encoded.mean),
    }
    return manifest, columns


def labels_of(explored: Explored) -> dict[str, Any] | None:
    """Of a model that sees labels: those that it knows, by number and name, and the one that it decodes as; None of any other."""
    if explored.conditional is None:
        return None
    known = [int(label) for label in explored.conditional.labels]
    return {
        "values": known,
        "names": [called(label, explored.label_names) for label in known],
        "chosen": explored.label,
    }


def _numbers(explored: Explored) -> Integer[np.ndarray, " images"]:
    numbers = np.arange(len(explored.images)) if explored.numbers is None else explored.numbers
    return numbers.astype(np.int32)


def _snapshot_columns(explored: Explored, columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The snapshots' entries in the manifest; adds their columns."""
    snapshots = [one for one in explored.snapshots if len(one.means) == len(explored.snapshots[0].means)]
    if not snapshots:
        return []
    followed = len(explored.images)  # of large images the map has fewer than a training follows
    columns["snapshots/means"] = np.stack([one.means[:followed] for one in snapshots]).astype(np.float16)
    spreads = [one.log_variances[:followed] for one in snapshots if one.log_variances is not None]
    if len(spreads) == len(snapshots):
        columns["snapshots/log_variances"] = np.stack(spreads).astype(np.float16)
    columns["snapshots/kl"] = np.stack([_snapshot_divergence(one) for one in snapshots])
    if explored.model.latent_dim == 2 and all(one.decoder for one in snapshots):
        baked = [manifold(with_decoder(explored.model, one), explored.shown) for one in snapshots]
        columns["snapshots/manifold"] = np.stack(baked)
    return [{"epoch": one.epoch, "weights": bool(one.decoder)} for one in snapshots]


def _snapshot_divergence(snapshot: Snapshot) -> Float[np.ndarray, " latent"]:
    log_variances = snapshot.log_variances
    spread = None if log_variances is None else log_variances.astype(np.float32)
    means = snapshot.means.astype(np.float32)
    return divergence_per_dimension(Encoded(means, spread, means))


def divergence_per_dimension(encoded: Encoded) -> Float[np.ndarray, " latent"]:
    """The mean over images of KL(q(z_j|x) || N(0, 1)), nats; for a deterministic posterior the variance of the means instead."""
    if encoded.log_variance is None:
        return encoded.mean.var(axis=0).astype(np.float32)
    variance = np.exp(encoded.log_variance)
    return (0.5 * (variance + encoded.mean**2 - 1.0 - encoded.log_variance)).mean(axis=0).astype(np.float32)


def manifold(model: Model, shown: tuple[float, float]) -> np.ndarray:
    """The grid of decoded images, uint8 (225, ...): rows of the second axis, rising."""
    second, first = np.meshgrid(MANIFOLD_PLACES, MANIFOLD_PLACES, indexing="ij")
    latents = np.stack([first.ravel(), second.ravel()], axis=1).astype(np.float32)
    return as_levels(decode(model, latents), low=shown[0], high=shown[1])


def density_quantiles(encoded: Encoded, places: Float[np.ndarray, "n latent"]) -> list[float] | None:
    """0, 1, ..., 100 % quantiles of log q(z) at a place of each image's own (its posterior's mean, or a draw), the image left out.

    q(z) = 1/(N - 1) sum_n q(z|x_n) over the others. They say how empty another place is beside these; None for a deterministic posterior.
    In many dimensions means lie denser than draws, so a mean is ranked among means and a draw among draws.
    """
    if encoded.log_variance is None or len(encoded.mean) < 2:
        return None
    chosen = np.random.default_rng(0).permutation(len(encoded.mean))[:QUANTILE_DRAWS]
    precision = np.exp(-encoded.log_variance.astype(np.float64))
    mean = encoded.mean.astype(np.float64)
    offset = (mean**2 * precision + encoded.log_variance + math.log(2.0 * math.pi)).sum(axis=1)
    values = []
    for piece in equal_pieces(len(chosen), QUANTILE_CHUNK):
        part = chosen[piece]
        z = places[part].astype(np.float64)
        each = -0.5 * (z**2 @ precision.T - 2.0 * z @ (mean * precision).T + offset)
        each[np.arange(len(part)), part] = -np.inf
        values.append(np.asarray(logsumexp(each, axis=1)) - math.log(len(mean) - 1))
    return np.quantile(np.concatenate(values), np.linspace(0.0, 1.0, QUANTILES)).tolist()


def distance_quantiles(means: Float[np.ndarray, "n latent"]) -> list[float]:
    """0, 1, ..., 100 % quantiles of the distance from each image's mean to the nearest other."""
    if len(means) < 2:
        return [0.0, 1.0]
    distances, _ = KDTree(means).query(means, k=2)
    return np.quantile(distances[:, 1], np.linspace(0.0, 1.0, QUANTILES)).tolist()


def engine_for(model: Model) -> tuple[str, str | None]:
    """Who runs the networks: `page`, or `server` with the reason."""
    parts = part_graphs(model)
    for name, part in parts.items():
        if isinstance(part, UnknownOperation):
            return "server", f"the operation '{part.name}' of its {name}"
    decoder, tensors = parts["decoder"], {name: array.shape for name, array in named_arrays(model).items()}
    assert isinstance(decoder, dict)
    count = multiplications(decoder, tensors)
    if count > PAGE_MULTIPLICATIONS:
        return "server", f"{count / 1e6:.0f} million multiplications a picture"
    return "page", None


def _as_mnist(explored: Explored, height: int, width: int) -> bool:
    if explored.data in DIGIT_DATA:
        return True
    return centred_by_mass(explored.images[:CENTRED_IMAGES].reshape(-1, height, width))


def centred_by_mass(images: Shaped[np.ndarray, "n height width"]) -> bool:
    """Whether images lie as MNIST's do: dark ground, the centre of mass at pixel (14, 14) of 28, for 95 % of them within a pixel."""
    ink = images.astype(np.float64) - min(float(images.min()), 0.0)
    mass = ink.sum(axis=(1, 2))
    if not (mass > 0).all() or ink[:, 0, :].mean() > 0.02 * ink.max():
        return False
    _, height, width = images.shape
    down = (ink.sum(axis=2) @ np.arange(height)) / mass - height / 2
    across = (ink.sum(axis=1) @ np.arange(width)) / mass - width / 2
    return bool(np.quantile(np.hypot(down, across), 0.95) < 1.0)


def _finite(record: Mapping[str, Any]) -> dict[str, int | float]:
    return {name: value for name, value in record.items() if isinstance(value, int | float) and math.isfinite(value)}
