"""The whole evaluation of a small run: parts that add up, files, pages, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.evaluation.comparison import comparison_of
from vaelab.evaluation.evaluation import Evaluation, evaluate
from vaelab.evaluation.feature_networks import digit_classifier
from vaelab.evaluation.judged_images import judged_images
from vaelab.evaluation.of_run import write_evaluation
from vaelab.evaluation.report import as_page
from vaelab.model_file import load_model
from vaelab.runs import Run

KEYS = {
    "elbo", "reconstruction", "kl", "kl_per_dimension", "active_units", "nll_importance", "nll_quadrature", "mutual_information",
    "marginal_kl", "hole_fraction", "frechet_digit_distance",
}  # fmt: skip


def evaluated(run: Run, data: Dataset, **options: object) -> Evaluation:
    settings: dict[str, object] = {"samples": 0, "importance_samples": None} | options
    return evaluate(
        load_model(run),
        data.test.images,
        data.train.images,
        labels=data.test.labels,
        training_labels=data.train.labels,
        features=digit_classifier(),
        **settings,  # pyright: ignore[reportArgumentType]
    )


@pytest.fixture(scope="module")
def evaluation(tiny_run: Run, few_digits: Dataset) -> Evaluation:
    return evaluated(tiny_run, few_digits, pixels="dynamic", importance_samples=100, samples=100)


def test_parts_add_up(evaluation: Evaluation) -> None:
    assert evaluation.elbo is not None
    assert evaluation.kl is not None
    assert evaluation.elbo.value == pytest.approx(-(evaluation.reconstruction.value + evaluation.kl.value), rel=1e-6)
    assert evaluation.latents is not None
    assert evaluation.latents.kl_per_dimension.sum() == pytest.approx(evaluation.kl.value, rel=1e-4)
    fit = evaluation.prior_fit
    assert fit is not None
    assert fit.mutual_information.value + fit.marginal_kl.value == pytest.approx(evaluation.kl.value, rel=1e-4)


def test_bounds_are_in_order(evaluation: Evaluation) -> None:
    assert evaluation.nll_quadrature is not None
    assert evaluation.nll_importance is not None
    assert evaluation.elbo is not None
    assert evaluation.monte_carlo_error is not None
    # exact <= importance-sampled <= -ELBO
    assert evaluation.nll_quadrature.value <= evaluation.nll_importance.value + 3.0 * evaluation.monte_carlo_error
    assert evaluation.nll_importance.value <= -evaluation.elbo.value
    assert evaluation.quadrature_error_mean is not None
    assert evaluation.quadrature_error_mean < 0.01


def test_json_has_every_key_and_no_nan(evaluation: Evaluation) -> None:
    found = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert set(found) >= KEYS
    for name in KEYS:
        assert set(found[name]) >= {"value", "standard_error"}, name
    assert found["nll_importance"]["samples"] == 100
    assert found["nll_quadrature"]["n"] == 200
    assert "test images" in found["nll_quadrature"]["over"] or "held-out images" in found["nll_quadrature"]["over"]
    assert found["setting"]["pixels"] == "dynamic"
    assert found["grey_floor"] is None  # drawn pixels are binary
    # real training images in the place of samples do better than those of a tiny model
    floor = found["sample_quality_floor"]
    assert floor["frechet_digit_distance"]["value"] < found["frechet_digit_distance"]["value"]
    assert floor["coverage"]["value"] > found["coverage"]["value"]
    assert found["importance_excess"]["over"].endswith("paired")


def test_page_needs_no_other_file(evaluation: Evaluation, tiny_run: Run, tmp_path: Path) -> None:
    page = as_page(evaluation, "A run <of mine>", {"A picture": b"\x89PNG"})
    assert "A run &lt;of mine&gt;" in page
    assert "http" not in page
    assert 'src="data:image/png;base64,' in page
    assert evaluation._repr_html_() in page
    copy = Run.create(tmp_path / "copy", tiny_run.config)
    for path in write_evaluation(copy, evaluation):
        assert path.is_file()
    assert (
        json.loads(copy.evaluation_file.read_text())["nll_quadrature"]["value"]
        == evaluation.to_json()["nll_quadrature"]["value"]
    )


def test_grey_pixels_have_their_floor(tiny_run: Run, few_digits: Dataset) -> None:
    grey = evaluated(tiny_run, few_digits, importance_samples=1)
    assert grey.grey_floor is not None
    assert grey.nll_quadrature is not None
    assert 40.0 < grey.grey_floor.value < grey.nll_quadrature.value
    assert grey.monte_carlo_error is None  # one sample tells nothing of its error


def test_an_autoencoder_has_no_likelihood(tiny_autoencoder_run: Run, few_digits: Dataset) -> None:
    found = evaluated(tiny_autoencoder_run, few_digits)
    assert found.nll_importance is None
    assert found.nll_quadrature is None
    assert found.kl is None
    assert "no likelihood" in found.reasons["nll_quadrature"]
    assert "no prior to sample from" in found.reasons["samples"]
    assert found.prior_fit is None
    assert found.reconstruction.value == pytest.approx(found.per_image["reconstruction"].mean())
    with pytest.raises(VaelabError, match="importance sampling: an autoencoder's code is one point"):
        evaluated(tiny_autoencoder_run, few_digits, importance_samples=10)


def test_bad_input(tiny_run: Run, few_digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(VaelabError, match="at least 1; found 0"):
        evaluated(tiny_run, few_digits, importance_samples=0)
    with pytest.raises(VaelabError, match=r"shape \(8, 8\); this model takes \(28, 28\)"):
        evaluate(load_model(tiny_run), np.zeros((30, 8, 8), np.uint8), few_digits.train.images)
    with pytest.raises(VaelabError, match="unknown treatment of pixels; did you mean 'dynamic'"):
        judged_images(tiny_run, dataset=few_digits, pixels="dynamik")
    with pytest.raises(VaelabError, match="--static-file FILE"):
        judged_images(tiny_run, dataset=few_digits, pixels="static")
    np.save(tmp_path / "binary.npy", (few_digits.test.images[:50] > 127).astype(np.uint8))
    judged = judged_images(tiny_run, dataset=few_digits, pixels="static", static_file=str(tmp_path / "binary.npy"))
    assert judged.images.shape == (50, 28, 28)
    assert set(np.unique(judged.images)) == {0, 255}


def test_comparison_is_paired(evaluation: Evaluation, tiny_run: Run, few_digits: Dataset) -> None:
    again = evaluated(tiny_run, few_digits, pixels="dynamic", importance_samples=3)
    compared = comparison_of([("first", evaluation), ("second", again)])
    assert compared.score == "nll_quadrature"
    assert compared.entries[0].difference is None
    difference = compared.entries[1].difference
    assert difference is not None
    assert difference.value == pytest.approx(0.0, abs=1e-4)  # one model, one set of images, no noise in quadrature
    assert difference.standard_error is not None
    assert (
        difference.standard_error
        < 1e-4
        < (evaluation.nll_quadrature.standard_error if evaluation.nll_quadrature else 0.0)
    )
    grey = evaluated(tiny_run, few_digits, importance_samples=3)
    with pytest.raises(VaelabError, match="pixels differ, dynamic and grey"):
        comparison_of([("first", evaluation), ("second", grey)])


def test_what_a_run_gives_is_computed_once(tiny_run: Run, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test and training images are encoded once, by evaluation and closing sentence together; the model is read once."""
    from vaelab.evaluation import coded, material
    from vaelab.evaluation.doctor import sentence
    from vaelab.evaluation.of_run import evaluate_material

    counts = {"encoded": 0, "read": 0}

    def counting(name: str, function: object) -> object:
        def counted(*args: object, **kwargs: object) -> object:
            counts[name] += 1
            return function(*args, **kwargs)  # pyright: ignore[reportCallIssue]

        return counted

    monkeypatch.setattr(coded, "codes_of", counting("encoded", coded.codes_of))
    monkeypatch.setattr(material, "load_model", counting("read", material.load_model))
    whole = material.Material(tiny_run, dataset=few_digits)
    found = evaluate_material(whole, importance_samples=2, samples=0)
    words = sentence(found, whole)
    assert "exact grey cross-entropy" in words
    assert counts == {"encoded": 2, "read": 1}


def test_samples_only_check_what_quadrature_knows(
    tiny_run: Run, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless K is asked for by name, decoded pixels are bounded; and it is said of how many images the number is."""
    from vaelab.evaluation import measuring as module
    from vaelab.evaluation.report import rows

    monkeypatch.setattr(module, "CHECKED_PIXELS", 7 * 500 * 784)
    found = evaluated(tiny_run, few_digits)
    assert found.nll_importance is not None
    assert found.nll_importance.n == len(found.per_image["nll_importance"]) == 7
    assert found.nll_quadrature is not None
    assert found.nll_quadrature.n == 200
    assert found.elbo_by == "quadrature"
    assert found.elbo is not None
    assert found.inference_gap is not None
    gap = -found.elbo.value - found.nll_quadrature.value
    assert gap == pytest.approx(found.inference_gap.value, abs=1e-3)
    assert "first 7 of 200" in found.reasons["importance_samples"]
    shown = {name: value for name, value, _ in rows(found)}
    assert shown["  above it, K = 500"].endswith("(7 images)")


@pytest.mark.parametrize("count", [1, 5])
def test_few_images_promise_nothing(count: int, tiny_run: Run, few_digits: Dataset) -> None:
    from vaelab.evaluation.report import caption, rows

    found = evaluate(
        load_model(tiny_run),
        few_digits.test.images[:count],
        few_digits.train.images[:count],
        labels=few_digits.test.labels[:count] if few_digits.test.labels is not None else None,
        training_labels=few_digits.train.labels[:count] if few_digits.train.labels is not None else None,
        importance_samples=3,
        samples=0,
    )
    shown = {name: value for name, value, _ in rows(found)}
    assert "hole fraction" not in shown
    assert "fewer than 100" in found.reasons["hole_fraction"]
    assert shown["uncovered fraction"].endswith(f"of {count}")
    assert ("±" in shown["grey cross-entropy, exact"]) == (count > 1)
    assert caption(found).startswith(f"{count} image{'' if count == 1 else 's'}, ")
    json.dumps(found.to_json(), allow_nan=False)
