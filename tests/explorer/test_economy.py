"""A file to give away stays small: what is left out, in which order, that it is said, and that what is left is right."""

import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load

from vaelab.building import build_model
from vaelab.config import load_recipe
from vaelab.explorer import export as module
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.economy import Economy, averages, economies, smaller
from vaelab.explorer.explored import explored_model
from vaelab.explorer.export import MOST_BYTES, export, write_export
from vaelab.generating import decode, encode
from vaelab.model import Model
from vaelab.training.snapshots import Snapshot, snapshot_of

SHAPE = (48, 40, 3)


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    generator = np.random.default_rng(3)
    return generator.integers(0, 256, (60, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> Model:
    changes = {
        "model.image_shape": list(SHAPE),
        "model.likelihood.kind": "gaussian",
        "model.encoder.hidden": [24],
        "model.decoder.hidden": [24],
    }
    config = load_recipe("tutorial").with_values(changes)
    return build_model(config.model, jax.random.key(0))


@pytest.fixture(scope="module")
def snapshots(model: Model, photographs: np.ndarray) -> list[Snapshot]:
    return [snapshot_of(epoch, model, jax.numpy.asarray(photographs)) for epoch in range(6)]


@pytest.fixture(scope="module")
def heavy(model: Model, photographs: np.ndarray, snapshots: list[Snapshot]) -> Bundle:
    return Bundle((explored_model(model, photographs, snapshots=snapshots),))


def manifest_of(view: bytes) -> dict:
    size = int.from_bytes(view[:8], "little")
    return json.loads(json.loads(view[8 : 8 + size])["__metadata__"]["manifest"])["runs"][0]


def test_a_small_file_is_whole(bundle: Bundle):
    made = export(bundle)
    assert made.economy == Economy()
    assert made.left_out == ()
    assert made.size < MOST_BYTES


def test_decoders_go_first_then_pictures_get_smaller_and_it_is_said(heavy: Bundle, tmp_path: Path):
    whole = export(heavy, None)
    assert whole.left_out == ()
    steps = [export(heavy, int(share * whole.size)) for share in (0.95, 0.55, 0.3)]
    assert steps[0].economy == Economy(0)
    assert "earlier epochs" in steps[0].left_out[0]
    assert 1.0 > steps[1].economy.share > steps[2].economy.share
    height, width = steps[2].economy.side(SHAPE)
    assert f"{height} x {width} pixels in place of 48 x 40" in steps[2].left_out[1]
    for made, share in zip(steps, (0.95, 0.55, 0.3), strict=True):
        assert made.size <= share * whole.size
    assert write_export(heavy, tmp_path / "x.html").size == whole.size  # under the limit as it is


def test_at_last_the_weights_go_and_some_of_the_images(heavy: Bundle):
    script = export(heavy, 0).size
    made = export(heavy, 0)
    assert not made.economy.weights
    assert made.economy.images == 100
    assert any("nothing is decoded" in words for words in made.left_out)
    assert "weights-0" not in re.findall(r'id="([a-z0-9-]+)">', made.html)
    assert script < export(heavy, None).size / 2


def test_images_that_are_no_pictures_keep_their_size():
    assert {one.share for one in economies([(64, 64, 3), (30,)])} == {1.0}
    assert min(one.share for one in economies([(28, 28)])) == pytest.approx(3 / 8)  # no side under eight pixels


def test_averages_keep_the_mean_and_whole_blocks_are_their_means(generator: np.random.Generator):
    np.testing.assert_allclose(averages(48, 20).sum(axis=1), 1.0)
    images = generator.integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    blocks = images.reshape(3, 4, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(smaller(images, (8, 6, 3), (4, 3)), blocks, atol=0.51)
    many = generator.integers(0, 256, (2, 5, 8, 6), dtype=np.uint8)
    assert smaller(many, (8, 6), (4, 3)).shape == (2, 5, 4, 3)


def test_a_gaussian_decoders_small_pictures_are_its_pictures_made_small(heavy: Bundle, model: Model):
    economy = Economy(0, 0.5)
    tensors = load(heavy.weights(0, economy=economy))
    z = np.array([[0.3, -1.2]], np.float32)
    hidden = np.maximum(z @ tensors["decoder.network.layers.0.weight"] + tensors["decoder.network.layers.0.bias"], 0.0)
    small = (hidden @ tensors["decoder.heads.mean.weight"] + tensors["decoder.heads.mean.bias"]).reshape(24, 20, 3)
    whole = decode(model, z)[0].reshape(24, 2, 20, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, whole, atol=1e-5)


def test_its_encoder_reads_a_small_picture_as_if_it_were_enlarged(heavy: Bundle, model: Model):
    tensors = load(heavy.weights(0, economy=Economy(0, 0.5)))
    small = np.random.default_rng(0).random((1, 24, 20, 3)).astype(np.float32)
    hidden = np.maximum(
        small.reshape(1, -1) @ tensors["encoder.network.layers.0.weight"] + tensors["encoder.network.layers.0.bias"],
        0.0,
    )
    mean = hidden @ tensors["encoder.heads.mean.weight"] + tensors["encoder.heads.mean.bias"]
    enlarged = small.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(mean, encode(model, enlarged).mean, atol=1e-4)


def test_the_map_is_that_of_the_whole_images(heavy: Bundle, photographs: np.ndarray, model: Model):
    """Only pictures are smaller: latents, densities and the replay are what they were."""
    economy = Economy(0, 0.5)
    view = heavy.light_view(economy)
    columns, run = load(view), manifest_of(view)
    np.testing.assert_allclose(columns["0/means"], encode(model, photographs).mean, atol=1e-6)
    assert columns["0/thumbnails"].shape == (60, 24, 20, 3)
    assert columns["0/manifold"].shape == (225, 24, 20, 3)
    assert columns["0/snapshots/manifold"].shape == (6, 225, 24, 20, 3)
    assert (run["image"]["height"], run["image"]["width"]) == (24, 20)
    assert run["left_out"] == {"decoders": True, "picture": [48, 40], "weights": False, "images": None}
    assert [snapshot["epoch"] for snapshot in run["snapshots"]] == [0, 1, 2, 3, 4, 5]


def test_of_large_images_the_replay_has_as_many_as_the_map(monkeypatch, model, photographs, snapshots):
    from vaelab.explorer import explored

    monkeypatch.setattr(explored, "PIXELS_ON_THE_MAP", 50 * int(np.prod(SHAPE)))
    columns = load(Bundle((explored_model(model, photographs, snapshots=snapshots),)).view)
    assert columns["0/snapshots/means"].shape == (6, 50, 2)


def test_the_command_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch, heavy: Bundle, tmp_path: Path):
    from typer.testing import CliRunner

    from vaelab import explorer
    from vaelab.cli.app import app

    monkeypatch.setattr(explorer, "bundle_of", lambda *_, **__: heavy)
    limit = export(heavy, None).size // 2
    monkeypatch.setattr(module, "MOST_BYTES", limit)
    done = CliRunner().invoke(app, ["explore", "RUN", "--export", str(tmp_path / "x.html")], catch_exceptions=False)
    assert (tmp_path / "x.html").stat().st_size <= limit
    assert "left out, for a small file: the decoders of earlier epochs" in done.stderr
    assert "pixels in place of 48 x 40" in done.stderr
    assert "--whole" in done.stderr
    whole = CliRunner().invoke(app, ["explore", "RUN", "--export", str(tmp_path / "y.html"), "--whole"])
    assert (tmp_path / "y.html").stat().st_size > limit
    assert "left out" not in whole.stderr
    alone = CliRunner().invoke(app, ["explore", "--whole"])
    assert "--export" in str(alone.exception)
