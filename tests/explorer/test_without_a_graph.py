"""A model with an operation that the page does not know: the server decodes it; the single file says that it cannot."""

import json
from collections.abc import Iterator
from pathlib import Path

import equinox as eqx
import httpx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from explorer.local_server import TOKEN, Serving
from explorer.test_browser import Page, same
from explorer.test_server import ask
from vaelab.errors import VaelabError
from vaelab.explorer.bundle import Bundle, engine_for
from vaelab.explorer.economy import can_be_smaller, economies
from vaelab.explorer.explored import Explored, explored_model
from vaelab.explorer.export import export, write_export
from vaelab.generating import decode, encode
from vaelab.graph import read_graph
from vaelab.model import Model
from vaelab.model_graph import operation_graph
from vaelab.summary import summarise
from vaelab.training.snapshots import snapshot_of

REASON = "the operation 'sort' of its decoder"


class Sorted(eqx.Module):
    """A network of somebody else's: its features in order."""

    network: eqx.Module

    def __call__(self, x: Array, condition: Array | None = None, *, key: Array | None = None) -> Array:
        return jnp.sort(self.network(x))  # pyright: ignore[reportCallIssue]


@pytest.fixture(scope="module")
def foreign(bundle: Bundle) -> Explored:
    known = bundle.explored[0]
    model = eqx.tree_at(lambda model: model.decoder.network, known.model, Sorted(known.model.decoder.network))
    images, labels = known.images[:100], known.labels[:100]
    snapshots = [snapshot_of(epoch, model, jnp.asarray(images)) for epoch in range(2)]
    return explored_model(model, images, labels, name="foreign", snapshots=snapshots)


@pytest.fixture(scope="module")
def its_bundle(foreign: Explored) -> Bundle:
    return Bundle((foreign,))


@pytest.fixture(scope="module")
def address(its_bundle: Bundle) -> Iterator[str]:
    with Serving(its_bundle) as found:
        yield found


def test_the_bundle_says_who_decodes_and_has_no_weights(its_bundle: Bundle):
    assert operation_graph(its_bundle.explored[0].model) is None
    assert engine_for(its_bundle.explored[0].model) == ("server", REASON)
    assert b"foreign" in its_bundle.view
    for ask_for in (lambda: its_bundle.weights(0), lambda: its_bundle.snapshot(0, 0)):
        with pytest.raises(VaelabError, match=r"decoded by Python alone.*'sort'"):
            ask_for()


def test_the_server_decodes_and_encodes(address: str, its_bundle: Bundle, generator: np.random.Generator):
    model = its_bundle.explored[0].model
    z = generator.normal(size=(3, 2)).astype(np.float32)
    with httpx.Client(base_url=address.split("/?")[0], timeout=120, trust_env=False) as client:
        client.get("/", params={"token": TOKEN})
        missing = client.get("/weights/0")
        assert missing.status_code == 404
        assert "decoded by Python alone" in missing.text
        _, pixels = ask(client, {"id": 1, "kind": "decode", "key": "0"}, z)
        np.testing.assert_allclose(pixels.reshape(3, 28, 28), decode(model, z), atol=1e-6)
        _, numbers = ask(client, {"id": 2, "kind": "encode", "key": "0"}, decode(model, z))
        np.testing.assert_allclose(numbers[:6].reshape(3, 2), encode(model, decode(model, z)).mean, atol=1e-5)


def test_the_served_page_shows_what_python_decodes(chromium, address: str, foreign: Explored):
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    page = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
    assert "decoded by the server" in page.page.locator(".vx-header").inner_text()
    page.move([0.7, 0.2], steps=8)
    z = page.state("hover")
    assert same(page.decoded(z), np.rint(255 * decode(foreign.model, np.array([z], np.float32))[0]).ravel())
    image = json.dumps(foreign.images[0].ravel().astype(float).tolist())
    found = page.page.evaluate(
        f"vaelabExplorer.encode(Float32Array.from({image}, (value) => value / 255)).then(({{ mean }}) => [...mean])"
    )
    np.testing.assert_allclose(found, encode(foreign.model, foreign.images[:1]).mean[0], atol=1e-4)
    # the replay has the points of an epoch; its pictures stay those of the trained decoder
    page.page.evaluate("vaelabExplorer.update({ epoch: 0 })")
    page.page.evaluate("vaelabExplorer.pin(Float32Array.from([0.4, 0.3]))")
    page.page.mouse.move(3, 3)
    expected = decode(foreign.model, np.array([[0.4, 0.3]], np.float32))[0]
    assert same(page.decoded([0.4, 0.3]), np.rint(255 * expected).ravel())
    assert page.state("problem") is None
    assert page.faults == []
    context.close()


def test_the_single_file_says_in_one_line_that_it_decodes_nothing(chromium, its_bundle: Bundle, tmp_path: Path):
    made = write_export(its_bundle, tmp_path / "foreign.html")
    assert 'id="weights-0"' not in made.html
    assert 'id="snapshot-0' not in made.html
    assert made.left_out == ()
    (words,) = made.not_decoded
    assert words == f"foreign is decoded by Python alone ({REASON}), so this file shows it and decodes nothing"
    context = chromium.new_context(locale="en-GB", offline=True)
    page = Page(context.new_page())
    page.page.goto(f"{(tmp_path / 'foreign.html').as_uri()}#lang=en")
    page.until("Boolean(window.vaelabExplorer?.state.problem)")
    said = page.page.locator(".vx-problem").inner_text()
    assert said.startswith(f"This model is decoded by Python, which is not here ({REASON}).")
    assert "\n" not in said
    header = page.page.locator(".vx-header").inner_text()
    assert "not decoded here" in header
    assert "loading" not in header
    assert (page.layer_pixels("dots")[:, :, 3] > 150).sum() > 300  # the map is there
    assert page.faults == []
    context.close()


def test_a_model_that_the_page_decodes_is_not_spoken_of(bundle: Bundle):
    assert export(bundle).not_decoded == ()


def test_the_command_says_it(monkeypatch: pytest.MonkeyPatch, its_bundle: Bundle, tmp_path: Path):
    from typer.testing import CliRunner

    from vaelab import explorer
    from vaelab.cli.app import app

    monkeypatch.setattr(explorer, "bundle_of", lambda *_, **__: its_bundle)
    done = CliRunner().invoke(app, ["explore", "RUN", "--export", str(tmp_path / "x.html")], catch_exceptions=False)
    assert f"decoded by Python alone ({REASON})" in done.stderr
    assert "left out" not in done.stderr


def test_the_widget_carries_no_weights_of_it(its_bundle: Bundle):
    pytest.importorskip("anywidget", reason="needs anywidget (pip install 'vaelab[notebook]')")
    from vaelab.explorer.widget import widget

    made = widget(its_bundle)
    assert made.weights == [b""]
    made.close()


def test_its_summary_shows_the_arrays_of_the_part_that_has_no_graph(foreign: Explored):
    found = summarise(foreign.model)
    assert [layer.name for layer in found.parts["encoder"]] == ["reshape", "layers.0", "mean", "log_variance"]
    decoder = {layer.name: (layer.kind, layer.output_shape, layer.parameters) for layer in found.parts["decoder"]}
    assert decoder["network.network.layers.0.weight"] == ("array (2, 128)", None, 256)
    assert decoder["heads.logits.bias"] == ("array (784,)", None, 784)
    assert found.parameters_of("decoder") == 3 * 128 + 129 * 784
    assert found.trainable + found.fixed == sum(found.parameters_of(part) for part in found.parts)


def test_the_command_prints_that_summary(foreign: Explored, monkeypatch: pytest.MonkeyPatch, capsys):
    from vaelab import building as module
    from vaelab.cli.summary import summary

    monkeypatch.setattr(module, "build_model", lambda *_: foreign.model)
    summary(None, "tutorial")
    assert "array (2, 128)" in capsys.readouterr().out


def test_the_model_file_says_that_there_is_no_graph(foreign: Explored, digit_run, tmp_path: Path):
    import shutil

    from vaelab.model_file import save_model
    from vaelab.runs import Run
    from vaelab.tensors import read_tensors

    shutil.copytree(digit_run.folder, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert read_tensors(run.model_file)[1]["graph"] == operation_graph(known_model(foreign))
    save_model(run, foreign.model)
    assert read_tensors(run.model_file)[1]["graph"] is None


def known_model(explored: Explored) -> Model:
    return eqx.tree_at(lambda model: model.decoder.network, explored.model, explored.model.decoder.network.network)


def test_pictures_get_smaller_only_where_dense_layers_alone_touch_them(bundle: Bundle):
    """A convolution of a smaller picture is another; and so is a picture of which two layers write the sum."""
    dense = operation_graph(bundle.explored[0].model)
    assert dense is not None
    assert can_be_smaller(dense)
    two = {"a": jnp.ones((2, 784)), "b": jnp.ones((2, 784))}
    summed = read_graph(lambda arrays, z: {"mean": z @ arrays["a"] + z @ arrays["b"]}, "z", (2,), two)
    assert not can_be_smaller(dense | {"decoder": summed})
    looked_at = read_graph(
        lambda arrays, image: {"mean": jnp.tanh(image).ravel() @ arrays["w"]},
        "image",
        (28, 28),
        {"w": jnp.ones((784, 2))},
    )
    assert not can_be_smaller(dense | {"encoder": looked_at})
    shares = {(one.share, one.weights) for one in economies([(28, 28)], networks=False)}
    assert {share for share, weights in shares if weights} == {1.0}
    assert {share for share, weights in shares if not weights} > {1.0}
