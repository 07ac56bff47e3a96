"""The bundle: what the page is given is what the model says."""

import json
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from safetensors.numpy import load

from vaelab.densities import DiagonalNormal, FullNormal, Mixture
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.explorer.bundle import MANIFOLD_PLACES, Bundle, centred_by_mass, density_quantiles
from vaelab.explorer.economy import promised
from vaelab.explorer.explored import explored_model, explored_run, images_shown
from vaelab.explorer.prior_columns import gaussians_of, prior_columns
from vaelab.generating import Encoded, decode, encode
from vaelab.priors.by_label import DensityByLabel
from vaelab.runs import Run


def manifest_and_columns(bundle: Bundle) -> tuple[dict, dict]:
    size = int.from_bytes(bundle.view[:8], "little")
    return json.loads(json.loads(bundle.view[8 : 8 + size])["__metadata__"]["manifest"]), load(bundle.view)


def test_latents_images_and_grid_are_the_models_own(bundle: Bundle, some_digits):
    manifest, columns = manifest_and_columns(bundle)
    explored = bundle.explored[0]
    encoded = encode(explored.model, explored.images)
    np.testing.assert_allclose(columns["0/means"], encoded.mean)
    np.testing.assert_allclose(columns["0/log_variances"], encoded.log_variance)
    np.testing.assert_array_equal(columns["0/thumbnails"].reshape(-1, 28, 28), some_digits.test.images)
    np.testing.assert_array_equal(columns["0/labels"], some_digits.test.labels)
    place = 3 * 15 + 11  # row 3 from below, column 11
    z = np.array([[MANIFOLD_PLACES[11], MANIFOLD_PLACES[3]]], np.float32)
    grid = columns["0/manifold"].reshape(225, 28, 28)
    assert np.abs(grid[place] - 255 * decode(explored.model, z)[0]).max() < 0.6
    run = manifest["runs"][0]
    assert (run["latent_dim"], run["shown"], run["total"], run["engine"]["place"]) == (2, 600, 600, "page")
    assert run["priors"][0]["kind"] == "normal"


def test_kl_per_dimension_is_the_mean_over_images(bundle: Bundle):
    _, columns = manifest_and_columns(bundle)
    mean, log_variance = columns["0/means"], columns["0/log_variances"]
    expected = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance)
    np.testing.assert_allclose(columns["0/kl"], expected.mean(axis=0), rtol=1e-5)


def test_snapshots_follow_the_first_images(bundle: Bundle, digit_run):
    manifest, columns = manifest_and_columns(bundle)
    epochs = [snapshot["epoch"] for snapshot in manifest["runs"][0]["snapshots"]]
    assert epochs == [epoch for epoch, _ in digit_run.snapshots()]
    means = columns["0/snapshots/means"]
    assert means.dtype == np.float16
    np.testing.assert_allclose(means[-1].astype(np.float32), columns["0/means"], atol=2e-2)
    last = columns["0/snapshots/manifold"][-1].astype(int) - columns["0/manifold"].astype(int)
    assert np.abs(last).max() <= 3  # half precision
    assert manifest["runs"][1]["snapshots"] == []


def test_a_file_to_give_away_promises_few_decoders():
    chosen = promised([{"epoch": epoch, "weights": True} for epoch in range(20)])
    assert [one["epoch"] for one in chosen if one["weights"]] == [0, 6, 13, 19]


def test_quantiles_leave_each_image_out_of_its_own_average():
    # Two posteriors far apart: without its own, the density at each is that of the other, which is as good as none.
    encoded = Encoded(
        np.array([[-20.0, 0], [20, 0]], np.float32),
        np.zeros((2, 2), np.float32),
        np.array([[-20.0, 0], [20, 0]], np.float32),
    )
    quantiles = density_quantiles(encoded, encoded.draw)
    assert quantiles is not None
    assert max(quantiles) < -700
    # Two in one place: the density there is the other's own.
    together = Encoded(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))
    np.testing.assert_allclose(density_quantiles(together, together.draw), -np.log(2 * np.pi), atol=1e-6)


def densities() -> dict:
    key = jax.random.key(0)
    means = jax.random.normal(key, (3, 2))
    spreads = 0.1 * means - 0.5
    scale = jax.numpy.array([[0.5, 0.0], [0.2, 0.8]])
    weights = jax.nn.log_softmax(means[:, 0])
    diagonal = Mixture(weights, DiagonalNormal(means, spreads))
    full = Mixture(weights, jax.vmap(FullNormal)(means, jax.numpy.stack([scale] * 3)))
    parts = (DiagonalNormal(means[0], spreads[0]), full)
    return {
        "normal": DiagonalNormal(means[0], spreads[0]),
        "full": FullNormal(means[0], scale),
        "diagonal mixture": diagonal,
        "full mixture": full,
        "by label": DensityByLabel(jax.numpy.log(jax.numpy.array([0.25, 0.75])), parts),
    }


@pytest.mark.parametrize("name", list(densities()))
def test_a_prior_made_of_gaussians_keeps_its_density_as_columns(name: str, generator):
    density = densities()[name]
    points = generator.normal(size=(20, 2)).astype(np.float32)
    gaussians = gaussians_of(density)
    assert gaussians is not None
    log_weights, means, factors = (jax.numpy.asarray(array) for array in gaussians)
    components = (
        jax.vmap(FullNormal)(means, factors) if factors.ndim == 3 else DiagonalNormal(means, 2 * jax.numpy.log(factors))
    )
    np.testing.assert_allclose(
        log_probs(Mixture(log_weights, components), points), log_probs(density, points), atol=1e-4
    )


def test_a_prior_that_is_no_mixture_comes_as_a_grid(bundle: Bundle):
    import equinox as eqx

    from vaelab.priors.flow import FlowArchitecture, FlowPrior

    model = bundle.explored[0].model
    flow = FlowPrior(FlowArchitecture(2, "coupling", 1, 8, 4), key=jax.random.key(1))
    model = eqx.tree_at(lambda model: model.prior, model, flow)
    entry, columns = prior_columns(model, 4.0)
    assert (entry["kind"], entry["mixture"]) == ("flow", False)
    side = (entry["field"][1] - entry["field"][0]) / entry["field_shape"][0]
    assert np.exp(columns["field"]).sum() * side**2 == pytest.approx(1.0, abs=0.02)
    assert columns["draws"].shape == (1024, 2)


def test_weights_hold_encoder_and_decoder_and_nothing_else(bundle: Bundle):
    tensors = load(bundle.weights(0, half=True))
    assert {name.split(".")[0] for name in tensors} == {"encoder", "decoder"}
    assert {array.dtype for array in tensors.values()} == {np.dtype(np.float16)}


def test_a_plain_autoencoder_has_no_prior_and_no_spread(tiny_autoencoder_run, few_digits):
    manifest, columns = manifest_and_columns(Bundle((explored_run(tiny_autoencoder_run, few_digits),)))
    run = manifest["runs"][0]
    assert (run["posterior"], run["priors"], run["prior"], run["density_quantiles"]) == ("deterministic", [], -1, None)
    assert "0/log_variances" not in columns
    np.testing.assert_allclose(columns["0/kl"], columns["0/means"].var(axis=0), rtol=1e-4)


def test_a_gaussian_likelihood_says_its_scale(generator):
    import jax

    from vaelab.building import build_model
    from vaelab.config import load_recipe

    changes = {"model.likelihood.kind": "gaussian", "model.likelihood.scale": 0.25, "model.likelihood.learned": True}
    config = load_recipe("tutorial").with_values({**changes, "model.image_shape": [4, 4], "model.encoder.hidden": [3]})
    images = generator.normal(size=(30, 4, 4)).astype(np.float32) * 5
    explored = explored_model(build_model(config.model, jax.random.key(0)), images)
    manifest, columns = manifest_and_columns(Bundle((explored,)))
    run = manifest["runs"][0]
    assert run["likelihood"] == {"kind": "gaussian", "form": "gaussian", "scale": pytest.approx(0.25, rel=1e-4)}
    # what is shown black and white is the data's own range, and the bytes go from one to the other
    assert (run["image"]["low"], run["image"]["high"]) == pytest.approx((images.min(), images.max()))
    back = run["image"]["low"] + columns["0/thumbnails"] / 255 * (run["image"]["high"] - run["image"]["low"])
    assert np.abs(back - images).max() < np.ptp(images) / 400


def test_a_model_without_images_is_shown_on_its_own_draws(bundle: Bundle):
    explored = explored_model(bundle.explored[0].model)
    assert explored.images.shape == (2000, 28, 28)
    assert explored.split == "drawn"


def test_large_images_are_fewer_on_the_map():
    assert images_shown(np.zeros((30_000, 2, 2), np.uint8)) == 20_000
    assert images_shown(np.zeros((5_000, 64, 64, 3), np.uint8)) == 24_000_000 // (64 * 64 * 3)


def test_images_without_a_name_are_known_for_mnist_by_their_centre_of_mass(some_digits):
    images = some_digits.test.images[:200]
    assert centred_by_mass(images)
    assert not centred_by_mass(np.roll(images, 3, axis=1))
    assert not centred_by_mass(255 - images)
    assert not centred_by_mass(np.zeros_like(images))


def test_two_treatments_of_one_data_set_show_each_their_own_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grey run beside one of the same data binarised once: two data sets, not the first one's for both."""
    from vaelab import explorer, run_data
    from vaelab.config import load_recipe
    from vaelab.explorer import bundle
    from vaelab.explorer import explored as module

    grey = load_recipe("tutorial")
    binarised = {"data.pixels": "static", "data.static_file": "binary.npz"}
    Run.create(tmp_path / "grey", grey)
    Run.create(tmp_path / "static", grey.with_values(binarised))
    Run.create(tmp_path / "again", grey)
    monkeypatch.setattr(
        run_data,
        "chosen_data",
        lambda run, *_, **options: SimpleNamespace(dataset=f"images of {run.name}", note="", split="test"),
    )
    monkeypatch.setattr(module, "explored_run", lambda run, dataset, **options: (run.name, dataset))
    monkeypatch.setattr(bundle, "Bundle", lambda explored: explored)
    names = [str(tmp_path / name) for name in ("grey", "static")]
    assert explorer.bundle_of(names) == (("grey", "images of grey"), ("static", "images of static"))
    names[1] = str(tmp_path / "again")
    assert explorer.bundle_of(names) == (("grey", "images of grey"), ("again", "images of grey"))
