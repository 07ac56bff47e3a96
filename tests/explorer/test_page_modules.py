"""What the page computes, in Node, against NumPy, SciPy and theory."""

import base64
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save as format_tensors
from scipy.special import expit, logsumexp
from scipy.stats import laplace, logistic, multivariate_normal, norm

from vaelab.data import load_data


def picture_header(kind: str, size: tuple[int, int]) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, kind)
    return base64.b64encode(buffer.getvalue()[:4096]).decode()


@pytest.fixture(scope="module")
def given() -> dict:
    generator = np.random.default_rng(5)
    factors = np.tril(generator.normal(size=(3, 2, 2)))
    factors[:, [0, 1], [0, 1]] = 0.3 + np.abs(factors[:, [0, 1], [0, 1]])
    seven = load_data("mnist").test.images[0] / 255.0
    # the same digit, drawn four times as large and off the middle, on a pad of 196 x 196
    pad = np.zeros((196, 196))
    pad[60 : 60 + 112, 4 : 4 + 112] = np.kron(seven, np.ones((4, 4)))
    whole = format_tensors({"a": np.ones(3, np.float32)})
    return {
        "mixture": {
            "logWeights": np.log([0.2, 0.3, 0.5]).tolist(),
            "means": generator.normal(size=(3, 2)).tolist(),
            "factors": factors.tolist(),
        },
        "points": generator.normal(size=(12, 2)).tolist(),
        "means": generator.normal(size=(50, 2)).tolist(),
        "logVariances": generator.uniform(-3.0, -1.0, size=(50, 2)).tolist(),
        "natural": generator.normal(scale=3.0, size=(4, 6)).tolist(),
        "image": generator.random(6).tolist(),
        "likelihoods": [
            {"kind": form, "form": form, "scale": scale}
            for form, scale in (
                ("bernoulli", None),
                ("continuous-bernoulli", None),
                ("gaussian", 0.7),
                ("laplace", 0.7),
                ("discretised-logistic", 0.05),
            )
        ],
        "cloud": (generator.normal(size=(400, 3)) * [0.1, 3.0, 1.0]).tolist(),
        "drawings": [
            {"width": 196, "height": 196, "pixels": pad.tolist()},
            {"width": 8, "height": 8, "pixels": np.zeros((8, 8)).tolist()},
        ],
        "spots": [[1, 0.5], [2, 3], [3.9, 3], [0.1, 3], [5, 1]],
        "halves": np.array([0.0, -1.5, 65504.0, 6e-8, np.inf, 0.1], np.float16).view(np.uint16).tolist(),
        "headers": [
            *(picture_header(kind, (37, 21)) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP")),
            base64.b64encode(b"plain text, of some length, no image").decode(),
        ],
        "damaged": [
            base64.b64encode(piece).decode() for piece in (b"abc", whole[:-4], struct.pack("<Q", 1 << 40) + whole[8:])
        ],
    }


@pytest.fixture(scope="module")
def facts(run_module, given, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("facts")
    (folder / "given.json").write_text(json.dumps(given))
    return json.loads(run_module("page_facts.mjs", folder))


def test_a_mixture_has_the_density_that_scipy_gives(facts, given):
    mixture = given["mixture"]
    covariances = [np.array(factor) @ np.array(factor).T for factor in mixture["factors"]]
    each = [
        weight + multivariate_normal(mean, covariance).logpdf(given["points"])
        for weight, mean, covariance in zip(mixture["logWeights"], mixture["means"], covariances, strict=True)
    ]
    np.testing.assert_allclose(facts["mixture"], logsumexp(each, axis=0), atol=1e-5)


def test_the_aggregate_posterior_is_the_average_of_the_posteriors(facts, given):
    points, means = np.array(given["points"])[:, None], np.array(given["means"])[None]
    each = norm(means, np.exp(0.5 * np.array(given["logVariances"]))).logpdf(points).sum(axis=2)
    expected = logsumexp(each, axis=1) - np.log(50)
    np.testing.assert_allclose([one["logDensity"] for one in facts["aggregate"]], expected, atol=1e-4)
    without = logsumexp(np.delete(each, 3, axis=1), axis=1) - np.log(49)
    np.testing.assert_allclose(facts["without"], without, atol=1e-4)
    distances = np.linalg.norm(points - means, axis=2)
    assert [one["nearest"] for one in facts["aggregate"]] == distances.argmin(axis=1).tolist()
    np.testing.assert_allclose([one["distance"] for one in facts["aggregate"]], distances.min(axis=1), atol=1e-5)
    np.testing.assert_allclose(facts["field"], expected, atol=0.03)  # between the cells of its grid
    assert facts["mass"] == pytest.approx(1.0, abs=1e-3)


def test_contours_of_a_gaussian_are_circles_of_one_two_and_three_sigma_each_in_one_piece(facts):
    """In one piece, so that its dashes run on: cut into cells, 1 and 2 sigma look alike."""
    assert [len(lines) for lines in facts["contours"]] == [1, 1, 1]
    for sigma, (line,) in enumerate(facts["contours"], start=1):
        assert line["closed"]
        np.testing.assert_allclose(line["radii"], [sigma, sigma], atol=0.03)
        assert line["longest"] < 0.1  # from cell to cell
        assert line["length"] == pytest.approx(2 * np.pi * sigma, rel=0.03)
    assert facts["openLine"] == [{"closed": False, "count": 20}]


def test_quadrature_is_that_of_numpy(facts):
    for found, count in zip(facts["hermite"], (1, 2, 5, 20, 48), strict=True):
        places, weights = np.polynomial.hermite_e.hermegauss(count)
        np.testing.assert_allclose(found["places"], places, atol=1e-10)
        np.testing.assert_allclose(found["weights"], weights / np.sqrt(2 * np.pi), rtol=1e-8, atol=1e-30)


def test_numbers_that_are_too_large_for_two_decimals_are_powers_of_ten(facts):
    assert facts["numbers"] == ["0.00", "−1.23", "999999.00", "−1.0 × 10⁶", "−8.1 × 10¹¹", "0.00", "–", "–"]


def test_likelihoods_from_logits(facts, given):
    image, natural = np.array(given["image"]), np.array(given["natural"])
    mean = expit(natural)
    bernoulli = (image * np.log(mean) + (1 - image) * np.log1p(-mean)).sum(axis=1)
    constant = 2 * np.arctanh(1 - 2 * mean) / (1 - 2 * mean)  # Loaiza-Ganem and Cunningham 2019, eq. 6
    np.testing.assert_allclose(facts["likelihoods"]["bernoulli"], bernoulli, atol=1e-4)
    np.testing.assert_allclose(
        facts["likelihoods"]["continuous-bernoulli"], bernoulli + np.log(constant).sum(axis=1), atol=1e-4
    )
    np.testing.assert_allclose(
        facts["likelihoods"]["gaussian"], norm(natural, 0.7).logpdf(image).sum(axis=1), atol=1e-3
    )
    np.testing.assert_allclose(
        facts["likelihoods"]["laplace"], laplace(natural, 0.7).logpdf(image).sum(axis=1), atol=1e-3
    )
    level = np.round(image * 255)
    below = np.where(level == 0, -np.inf, (level - 0.5) / 255)
    above = np.where(level == 255, np.inf, (level + 0.5) / 255)
    far = logistic(natural, 0.05)  # by whichever tail loses less
    mass = np.where(natural < below, far.sf(below) - far.sf(above), far.cdf(above) - far.cdf(below))
    np.testing.assert_allclose(facts["likelihoods"]["discretised-logistic"], np.log(mass).sum(axis=1), rtol=1e-4)


def test_a_plane_through_three_points_holds_them(facts):
    np.testing.assert_allclose(facts["plane"]["inside"], [[1, 2, 3, 4], [2, 2, 3, 5], [0, 1, 1, 1]], atol=1e-5)
    np.testing.assert_allclose(facts["plane"]["lengths"], [1, 1, 0], atol=1e-6)
    assert facts["plane"]["line"] is None


def test_principal_directions_are_those_of_largest_variance(facts, given):
    cloud = np.array(given["cloud"])
    _, _, directions = np.linalg.svd(cloud - cloud.mean(axis=0), full_matrices=False)
    for name, expected in (("u", directions[0]), ("v", directions[1])):
        assert abs(np.dot(facts["principal"][name], expected)) == pytest.approx(1.0, abs=1e-4)


def test_an_ellipse_has_the_square_roots_of_the_variances_as_half_axes(facts):
    assert facts["ellipse"] == {"major": 2, "minor": 1, "angle": 0}


def test_a_digit_of_mnist_drawn_large_and_aside_comes_back_as_it_was(facts):
    seven = load_data("mnist").test.images[0] / 255.0
    found = np.array(facts["digits"][0]).reshape(28, 28)
    assert np.abs(found - seven).max() < 1e-5
    assert facts["digits"][1] == []  # no ink


def test_a_lasso_catches_what_lies_inside_it_and_not_in_its_bay(facts):
    assert facts["lasso"] == [0, 2, 3]


def test_paths_keep_their_ends_and_an_arc_its_norm(facts):
    straight, spherical = facts["paths"]
    np.testing.assert_allclose(straight, [[2, 0], [1.5, 0.5], [0, 2]], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(spherical, axis=1), [2, 2, 2], atol=1e-5)
    assert np.arctan2(*spherical[1][::-1]) == pytest.approx(np.pi / 8)
    assert np.isfinite(facts["opposite"]).all()


def test_an_address_says_what_was_shown_and_nonsense_in_it_is_left_out(facts):
    assert facts["link"] == {
        "image": 12, "layers": ["points", "holes"], "tab": "sample", "lang": "zh", "theme": "dark", "prior": "mixture 50", "epoch": 3,
    }  # fmt: skip
    assert facts["badLink"] == {}


def test_half_precision_is_widened_exactly(facts, given):
    expected = np.array(given["halves"], np.uint16).view(np.float16).astype(np.float32)
    np.testing.assert_array_equal([np.inf if value is None else value for value in facts["halves"]], expected)


def test_the_size_of_a_picture_is_read_before_it_is_opened(facts):
    assert facts["sizes"] == [[37, 21]] * 5 + [None]


def test_ranks_lie_between_quantiles(facts):
    assert facts["rank"] == [0, 0, 0.125, 0.625, 1]


def test_damaged_weights_are_refused_in_words(facts):
    assert all("safetensors" in words or "cut short" in words for words in facts["refusals"])


def test_both_languages_have_every_text(facts):
    assert facts["texts"]["en"] == facts["texts"]["zh"]
    # all Chinese texts hold Chinese, but for the one that offers English
    assert facts["chinese"] == ["This page in English"]
