"""The tables as data: which models are trained, which priors are fitted to them, and what was published.

A published figure carries a mark where it could not be checked: [M] from memory, [I] from an index of papers, as opposed to a file or
paper that was read.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name

FITTED = ("mixture", "kde", "flow", "second-stage")


@dataclasses.dataclass(frozen=True)
class Row:
    """One training, and the priors that are fitted to it afterwards.

    - `name`: of the row and its run folders
    - `recipe`: a named recipe; None: the configuration's defaults
    - `changes`: dotted keys of the configuration that differ from the recipe's
    - `fitted`: kinds of priors fitted to each trained model
    - `seeds`: how many, from 0
    - `published`: what others report for this setting, with its mark
    - `note`: how the row differs from what was published
    - `gain_over`: the row of the same table whose own trained prior this row's priors are compared with, image by image; None: none
    """

    name: str
    recipe: str | None
    changes: Mapping[str, Any]
    fitted: tuple[str, ...] = ()
    seeds: int = 1
    published: str = ""
    note: str = ""
    gain_over: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """- `importance_samples`: K; None where log p(x) is integrated exactly
    - `samples`: generated images for the Fréchet digit distance; 0: none
    - `asked`: decoder means of asked digits, judged by the packaged classifier; 0: none
    - `keeps_weights`: the final weights are kept beside the results, in half precision: for trainings of an hour
    """

    name: str
    title: str
    text: str
    rows: tuple[Row, ...]
    importance_samples: int | None = None
    samples: int = 10_000
    asked: int = 0
    keeps_weights: bool = False


def _with(**changes: Any) -> Mapping[str, Any]:
    return MappingProxyType({key.replace("__", "."): value for key, value in changes.items()})


TRAINED_PRIORS: Mapping[str, Mapping[str, Any]] = {
    "normal": {},
    "mixture": {"model.prior.kind": "mixture", "model.prior.components": 50},
    "vamp": {"model.prior.kind": "vamp", "model.prior.components": 100, "model.prior.start": "data"},
    "flow": {"model.prior.kind": "flow"},
    "class": {"model.prior.kind": "class"},
}


def _two_dimensional_rows() -> tuple[Row, ...]:
    rows = []
    for network in ("tutorial", "better"):
        # both train on all 60,000 images, whatever the recipe holds out: nothing is chosen by a validation part here
        shared = {"data.pixels": "dynamic", "data.validation": "none", "training.keep": "last", "training.snapshots": 0}
        for prior, changes in TRAINED_PRIORS.items():
            published = (
                "135.73 ± 0.83 (K = 500, larger networks; Davidson et al. 2018 [M])" if prior == "normal" else ""
            )
            fitted = FITTED if prior == "normal" else ()
            rows.append(
                Row(
                    f"{network}-{prior}",
                    network,
                    MappingProxyType(shared | dict(changes)),
                    fitted,
                    5,
                    published,
                    gain_over=f"{network}-normal",
                )
            )
    autoencoder = {"data.pixels": "dynamic", "data.validation": "none", "training.snapshots": 0}
    rows.append(Row("autoencoder", "autoencoder", MappingProxyType(autoencoder), FITTED, 5))
    return tuple(rows)


GATED = _with(
    data__pixels="dynamic",
    data__validation="held-out",
    model__latent_dim=40,
    model__encoder__hidden=[300, 300],
    model__encoder__activation="gated",
    model__decoder__hidden=[300, 300],
    model__decoder__activation="gated",
    training__optimiser="adam",
    training__optimiser_options={},
    training__learning_rate=1e-3,
    training__averaging=0.999,
    training__keep="best",
    training__snapshots=0,
)
GATED_NORMAL = "84.45 ± 0.12 (K = 5000 [I])"
SHORTENED = "a schedule of 100 epochs in place of about 1,000"


def _gated(prior: Mapping[str, Any], epochs: int) -> Mapping[str, Any]:
    schedule = {
        "training.epochs": epochs,
        "objective.warmup": 0.2 if epochs < 500 else 0.1,
        "training.schedule.kind": "steps",
        "training.schedule.at": [0.6, 0.8, 0.9],
        "training.schedule.factor": 0.3,
    }
    return MappingProxyType({**GATED, **schedule, **prior})


def _iwae(samples: int, epochs: int) -> Mapping[str, Any]:
    network = {
        "data.pixels": "dynamic",
        "data.validation": "held-out",
        "data.validation_size": 400,
        "model.latent_dim": 50,
        "model.encoder.hidden": [200, 200],
        "model.encoder.activation": "tanh",
        "model.decoder.hidden": [200, 200],
        "model.decoder.activation": "tanh",
        "model.output_bias": "data-mean",
        "training.optimiser": "adam",
        "training.optimiser_options": {"eps": 1e-4},
        "training.batch_size": 20,
        "training.learning_rate": 1e-3,
        "training.epochs": epochs,
        "training.schedule.kind": "exponential",
        "training.schedule.final": 0.1,
        "training.snapshots": 0,
    }
    objective = {"objective.kind": "importance-weighted", "objective.samples": samples} if samples > 1 else {}
    return MappingProxyType(network | objective)


EXEMPLAR = "82.09 ± 0.18 (Exemplar VAE, K = 5000 [I])"
MIXTURE = {"model.prior.kind": "mixture", "model.prior.components": 500}
FLOW = {
    "model.prior.kind": "flow",
    "model.prior.affine": "fixed",
    "objective.warmup": 0.266667,
}  # of 300 epochs: the first 80
VAMP = {"model.prior.kind": "vamp", "model.prior.components": 500, "model.prior.start": "random"}
FASHION = {"data.name": "fashion-mnist", "data.validation_size": 10_000}


def _fashion_rows(epochs: int) -> tuple[Row, ...]:
    published = {"normal": "228.70", "vamp": "227.35", "flow": "226.75 (Exemplar VAE)"}
    priors: dict[str, Mapping[str, Any]] = {"normal": {}, "vamp": VAMP, "flow": FLOW}
    return tuple(
        Row(
            f"fashion-{name}",
            None,
            _gated({**FASHION, **prior}, epochs),
            (),
            1,
            f"{published[name]} [I]",
            f"{epochs} epochs in place of about 1,000",
            "fashion-normal",
        )
        for name, prior in priors.items()
    )


def _labels_rows() -> tuple[Row, ...]:
    shared = {"data.pixels": "dynamic", "data.validation": "none", "training.keep": "last", "training.snapshots": 0}
    told = {
        "no-label": {},
        "class-prior": {"model.prior.kind": "class"},
        "labels": {"model.condition": "labels"},
    }
    return tuple(
        Row(name, "tutorial", MappingProxyType(shared | changes), (), 3, gain_over="no-label")
        for name, changes in told.items()
    )


TABLES: tuple[Table, ...] = (
    Table(
        "two-dimensions",
        "Two latent dimensions, every prior",
        "784-256-2-256-784, dynamic pixels (test images drawn once), trained on all 60,000 images, judged on the 10,000 test images. "
        "The negative log-likelihood is exact, by quadrature. Nothing was selected by the test images.",
        _two_dimensional_rows(),
    ),
    Table(
        "gated-normal",
        "Gated 300-300-40, normal prior",
        "Dynamic pixels, 50,000 / 10,000 / 10,000 images, epochs chosen by validation.",
        (
            Row(
                "gated-normal-100", None, _gated({}, 100), ("mixture",), 1, GATED_NORMAL, SHORTENED, "gated-normal-100"
            ),
            Row("gated-normal", None, _gated({}, 1000), ("mixture",), 1, GATED_NORMAL, "", "gated-normal"),
        ),
        importance_samples=5000,
        keeps_weights=True,
    ),
    Table(
        "gated-vamp",
        "Gated 300-300-40, VampPrior with 500 pseudo-inputs",
        "As gated-normal.",
        (
            Row("gated-vamp-100", None, _gated(VAMP, 100), (), 1, "82.43 ± 0.06 (K = 5000 [I])", SHORTENED),
            Row("gated-vamp", None, _gated(VAMP, 1000), (), 1, "82.43 ± 0.06 (K = 5000 [I])"),
        ),
        importance_samples=5000,
        keeps_weights=True,
    ),
    Table(
        "gated-best",
        "Gated 300-300-40, the prior that does best",
        "As gated-normal; the same encoder and decoder, the prior trained with them.",
        (
            Row("gated-mixture", None, _gated(MIXTURE, 1000), (), 1, EXEMPLAR),
            Row("gated-flow", None, _gated(FLOW, 300), (), 1, EXEMPLAR),
        ),
        importance_samples=5000,
        keeps_weights=True,
    ),
    Table(
        "iwae",
        "IWAE, 200-200-50 tanh",
        "Dynamic pixels, 59,600 / 400 / 10,000 images; batches of 20.",
        tuple(
            Row(f"iwae-{k}", None, _iwae(k, 100), (), 1, f"{score} (K = 5000)", "100 epochs in place of 3,280")
            for k, score in ((1, "86.76"), (5, "85.54"), (50, "84.78"))
        ),
        importance_samples=5000,
        keeps_weights=True,
    ),
    Table(
        "labels",
        "Labels: none, in the prior, everywhere",
        "784-256-2-256-784, dynamic pixels (test images drawn once), trained on all 60,000 images, judged on the 10,000 test images; the "
        "tutorial's training. The negative log-likelihood is exact: *marginal* over labels, log p(x) = log sum_y p(y) p(x|y), and *given* "
        "the image's own. *Asked digits right*: of 10,000 decoder means of asked digits, as many of each, those that the packaged digit "
        "classifier takes for what was asked; *label told*: test images whose likeliest label by p(y|x) is their own.",
        _labels_rows(),
        samples=0,
        asked=10_000,
    ),
    Table(
        "fashion",
        "Fashion-MNIST, gated 300-300-40",
        "Fashion-MNIST (Debian's `dataset-fashion-mnist`), dynamic pixels, 50,000 / 10,000 / 10,000 images, epochs chosen by validation.",
        _fashion_rows(100),
        importance_samples=5000,
        samples=0,
        keeps_weights=True,
    ),
)


def table_named(name: str) -> Table:
    """**Raises:** `VaelabError` for a name that none has, with the nearest."""
    names = [table.name for table in TABLES]
    if name not in names:
        raise VaelabError(translated("unknown table '{name}'; {nearest}", name=name, nearest=nearest_name(name, names)))
    return TABLES[names.index(name)]
