"""Each symptom made on purpose, and none on a healthy run."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vaelab.data import Dataset, Split
from vaelab.evaluation import doctor
from vaelab.evaluation.checkup import Checkup, checkup
from vaelab.evaluation.doctor import SYMPTOMS, closing_sentence, diagnose
from vaelab.evaluation.figure import Figure
from vaelab.runs import Run


def log(
    losses: list[float], *, kl: list[float] | None = None, gap: float = 0.5, best_at: int | None = None
) -> list[dict[str, float]]:
    kl = kl or [5.0] * len(losses)
    records = [
        {"epoch": epoch, "loss": loss, "kl": k, "val_loss": loss + gap}
        for epoch, (loss, k) in enumerate(zip(losses, kl, strict=True), start=1)
    ]
    if best_at is not None:  # validation rises again after that epoch
        for record in records[best_at:]:
            record["val_loss"] += 1.5 * (record["epoch"] - best_at)
    return records


LEVEL = [190.0, 165.0, 158.0, 155.0, 154.0, 153.6, 153.3, 153.1, 153.0, 152.9]
RISING_KL = [1.0, 2.0, 3.2, 4.4, 5.0, 5.2, 5.3, 5.33, 5.34, 5.35]
HEALTHY = Checkup(
    metrics=log(LEVEL, kl=RISING_KL),
    folder="runs/healthy",
    latent_dim=2,
    pixels=784,
    beta=1.0,
    keeps_best=False,
    pixel_range=(0.0, 1.0),
    kl_per_dimension=np.array([3.1, 3.4]),
    median_log_variance=np.array([-4.7, -5.1]),
    hole_fraction=Figure(0.012, 0.002),
    uncovered_fraction=Figure(0.02, 0.003),
    fit_prior_command="vaelab fit-prior runs/healthy mixture",
)

SICK = {
    "posterior collapse": {"kl_per_dimension": np.array([0.004, 0.0])},
    "unused dimensions": {"kl_per_dimension": np.array([3.4, 0.001])},
    "loss averaged over pixels": {"kl_per_dimension": np.array([0.0, 0.001]), "beta": 784.0},
    "sigma collapsing to zero": {"median_log_variance": np.array([-4.0, -11.0])},
    "overfitting": {"metrics": log([150.0, 130.0, 115.0, 105.0, 98.0, 92.0, 88.0, 86.0, 85.0, 84.8], best_at=4)},
    "prior hole": {"hole_fraction": Figure(0.037, 0.002)},
    "prior too narrow": {"uncovered_fraction": Figure(0.12, 0.01)},
    "too few epochs": {"metrics": log([200.0, 175.0, 168.0])},
    "KL rising": {"metrics": log(LEVEL[:4], kl=RISING_KL[:4])},
    "data out of range": {"pixel_range": (0.0, 1.0 / 255.0)},
    "images all alike": {"pixel_range": (0.0, 0.0)},
    "reconstructions worse than PCA": {
        "squared_error": Figure(50.2, 1.0, n=200),
        "pca_error": Figure(32.1, 1.0, n=200),
        "pca_gain": Figure(18.1, 1.0, n=200),
    },
}
ADVICE = {
    "posterior collapse": "beta",
    "unused dimensions": "latent-dim",
    "loss averaged over pixels": "--beta 1",
    "sigma collapsing to zero": "autoencoder",
    "overfitting": "epoch 8",
    "prior hole": "vaelab fit-prior runs/healthy mixture",
    "prior too narrow": "vaelab fit-prior runs/healthy mixture",
    "too few epochs": "--epochs 20",
    "KL rising": "normal",
    "data out of range": "divided by 255 twice",
    "images all alike": "nothing to learn",
    "reconstructions worse than PCA": "--hidden",
}


def test_quiet_about_a_healthy_run() -> None:
    assert diagnose(HEALTHY) == []


@pytest.mark.parametrize("symptom", SICK)
def test_symptom_is_raised_with_its_figure_and_advice(symptom: str) -> None:
    findings = diagnose(dataclasses.replace(HEALTHY, **SICK[symptom]))
    named = {finding.symptom: finding for finding in findings}
    assert symptom in named
    assert ADVICE[symptom] in str(named[symptom])
    assert named[symptom].figure
    assert named[symptom].reference
    # nothing else is raised, but that a short log is also too few epochs
    assert set(named) <= {symptom, "too few epochs"}


def test_every_symptom_has_a_test() -> None:
    raised = {
        finding.symptom
        for changes in SICK.values()
        for symptom in SYMPTOMS
        for finding in symptom(dataclasses.replace(HEALTHY, **changes))
    }
    assert raised == set(SICK)


def test_harmless_ones_are_marked() -> None:
    rising = diagnose(dataclasses.replace(HEALTHY, **SICK["KL rising"]))
    assert [finding.harmless for finding in rising if finding.symptom == "KL rising"] == [True]
    some_of_forty = dataclasses.replace(
        HEALTHY,
        latent_dim=40,
        kl_per_dimension=np.array([1.5] * 25 + [0.002] * 15),
        median_log_variance=np.full(40, -2.0),
    )
    assert [finding.harmless for finding in diagnose(some_of_forty)] == [True]


def test_a_hole_within_its_error_is_not_raised() -> None:
    assert diagnose(dataclasses.replace(HEALTHY, hole_fraction=Figure(0.028, 0.006))) == []


def test_best_weights_kept_are_not_overfitted() -> None:
    assert diagnose(dataclasses.replace(HEALTHY, **SICK["overfitting"], keeps_best=True)) == []


def test_an_averaged_loss_collapses_a_real_run(tmp_path: Path, few_digits: Dataset) -> None:
    from conftest import small, train_run

    run = train_run(
        tmp_path / "averaged", small("tutorial", **{"objective.beta": 784.0, "training.epochs": 3}), few_digits
    )
    found = {finding.symptom for finding in diagnose(checkup(run, dataset=few_digits, likelihood=False))}
    assert "loss averaged over pixels" in found
    assert "posterior collapse" not in found


def test_pixels_divided_twice_are_seen_in_a_real_run(tiny_run: Run, few_digits: Dataset) -> None:
    def divided(split: Split) -> Split:
        return Split((split.images / np.float32(255 * 255)).astype(np.float32), split.labels)

    twice = dataclasses.replace(
        few_digits,
        train=divided(few_digits.train),
        validation=divided(few_digits.validation),
        test=divided(few_digits.test),
    )
    assert "data out of range" in {
        finding.symptom for finding in diagnose(checkup(tiny_run, dataset=twice, likelihood=False))
    }


def test_the_closing_sentence(tiny_run: Run, tiny_autoencoder_run: Run, few_digits: Dataset) -> None:
    words = closing_sentence(tiny_run, dataset=few_digits)
    assert words.startswith("exact grey cross-entropy ")  # grey pixels: no likelihood
    assert "(200 test images)" in words
    # the worst that doctor finds, and where the rest stands
    worst = next(f for f in diagnose(checkup(tiny_run, dataset=few_digits)) if not f.harmless)
    assert f"; {worst.symptom}: {worst.figure}" in words
    assert f"vaelab doctor {tiny_run.folder}" in words
    of_autoencoder = closing_sentence(tiny_autoencoder_run, dataset=few_digits)
    assert of_autoencoder.startswith("reconstructions worse than PCA")
    assert diagnose(checkup(tiny_autoencoder_run, dataset=few_digits)) != [], (
        "two epochs are too few, of an autoencoder too"
    )


@pytest.mark.parametrize(
    ("changes", "words", "not_words"),
    [
        ({}, "doctor finds nothing wrong", "mend"),
        (SICK["prior too narrow"], "prior too narrow: 12.0 % of the codes", "nothing wrong"),
        (SICK["prior hole"], "mend it: vaelab fit-prior runs/healthy mixture", "doctor"),
        (SICK["posterior collapse"], "no dimension carries 0.01 nats; the KL of all together is 0.00", "dimensions  "),
        ({"kl_per_dimension": np.array([0.4, 0.3])}, "the KL of all together is 0.70 nats", "dimensions  "),
        (SICK["reconstructions worse than PCA"], "worse than PCA: squared error 50.2", "nothing wrong"),
        (
            {"nll": Figure(150.94, 0.8, "2,000 test images", 2000)},
            "exact NLL 150.9 ± 0.8 nats (2,000 test images)",
            "grey",
        ),
        ({"nll": Figure(61.0, None, "1 test image", 1)}, "exact NLL 61.0 nats (1 test image)", "±"),
        (
            {"nll": Figure(61.53, 0.012, "180 test images", 180), "score": "negative log-density"},
            "exact negative log-density 61.53 ± 0.01 nats",
            "cross-entropy",
        ),
        (
            {"nll": Figure(83.8, 0.2, "9 test images", 9), "nll_by": "K = 500"},
            "NLL 83.8 ± 0.2 nats (K = 500; 9 test images)",
            "exact",
        ),
    ],
)
def test_the_sentence_says_the_worst_and_the_score_by_its_name(
    changes: dict[str, object], words: str, not_words: str
) -> None:
    said = doctor._sentence(dataclasses.replace(HEALTHY, **changes))
    assert words in said
    assert not_words not in said


def test_dimensions_are_counted_from_one() -> None:
    (finding,) = diagnose(dataclasses.replace(HEALTHY, **SICK["unused dimensions"]))
    assert "dimension 2 carries less" in finding.figure
    (finding,) = diagnose(dataclasses.replace(HEALTHY, **SICK["sigma collapsing to zero"]))
    assert "in dimension 2 is" in finding.figure


def test_a_model_in_the_package_is_not_to_be_written_to() -> None:
    run = Run.open("pretrained:tutorial")
    sick = dataclasses.replace(HEALTHY, **SICK["prior hole"], fit_prior_command=run.fit_prior_command)
    (finding,) = diagnose(sick)
    assert "vaelab fit-prior pretrained:tutorial mixture --out mixture.safetensors" in finding.advice


@pytest.mark.parametrize("likelihood", ["gaussian", "continuous-bernoulli"])
def test_a_density_is_no_grey_cross_entropy(likelihood: str, tmp_path: Path, few_digits: Dataset) -> None:
    from conftest import small, train_run

    run = train_run(
        tmp_path / "run", small("tutorial", **{"model.likelihood.kind": likelihood, "training.epochs": 1}), few_digits
    )
    assert closing_sentence(run, dataset=few_digits).startswith("exact negative log-density ")
