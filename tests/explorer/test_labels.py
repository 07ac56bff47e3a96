"""The explorer of a model that sees labels: pictures of one label, images encoded each given its own, and the page says so."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from explorer.local_server import Serving
from explorer.test_browser import Page, same
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.explorer.bundle import MANIFOLD_PLACES, Bundle
from vaelab.explorer.explored import explored_model, explored_run
from vaelab.explorer.export import write_export
from vaelab.explorer.server import answer_frame, read_frame, write_frame
from vaelab.generating import decode, encode
from vaelab.model_file import load_model
from vaelab.runs import Run


@pytest.fixture(scope="module")
def bundle(tiny_conditional_run: Run, few_digits: Dataset) -> Bundle:
    return Bundle((explored_run(tiny_conditional_run, few_digits, label=7),))


def metadata_of(file: bytes, name: str) -> dict:
    size = int.from_bytes(file[:8], "little")
    return json.loads(json.loads(file[8 : 8 + size])["__metadata__"][name])


def test_the_map_has_images_given_their_own_labels_and_pictures_of_one(
    bundle: Bundle, tiny_conditional_run: Run, few_digits: Dataset
) -> None:
    model, columns = load_model(tiny_conditional_run), load(bundle.view)
    run = metadata_of(bundle.view, "manifest")["runs"][0]
    assert "decoded as 7, encoded given each image's label" in run["name"]
    assert run["engine"]["place"] == "page"
    assert run["priors"][0]["kind"] == "normal"
    own = encode(model, few_digits.test.images, few_digits.test.labels)
    np.testing.assert_allclose(columns["0/means"], own.mean, atol=1e-5)
    z = np.array([[MANIFOLD_PLACES[11], MANIFOLD_PLACES[3]]], np.float32)
    grid = columns["0/manifold"].reshape(225, 28, 28)
    assert np.abs(grid[3 * 15 + 11] - 255 * decode(model, z, 7)[0]).max() < 0.6
    means = columns["0/snapshots/means"]
    np.testing.assert_allclose(means[-1].astype(np.float32), columns["0/means"], atol=2e-2)
    last = columns["0/snapshots/manifold"][-1].astype(int) - columns["0/manifold"].astype(int)
    assert np.abs(last).max() <= 3


def test_the_page_and_the_server_decode_as_the_label(bundle: Bundle, tiny_conditional_run: Run) -> None:
    """The graph that the page runs, run here by NumPy, and a frame that the server answers."""
    z = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    expected = decode(load_model(tiny_conditional_run), z, 7).reshape(3, -1)
    for file, tolerance in ((bundle.weights(0), 1e-5), (bundle.snapshot(0, 2), 1e-2)):  # half precision
        tensors, graph = load(file), metadata_of(file, "graph")["decoder"]
        values = {graph["input"]["name"]: z}
        for node in graph["nodes"]:
            x = values[node["input"]]
            match node["op"]:
                case "dense":
                    bias = tensors[node["bias"]] if "bias" in node else 0.0
                    values[node["output"]] = x @ tensors[node["weight"]].astype(np.float32) + bias
                case "activation":
                    values[node["output"]] = np.maximum(x, 0) if node["kind"] == "relu" else 1.0 / (1.0 + np.exp(-x))
                case "reshape":
                    values[node["output"]] = x
        found = values[graph["outputs"]["mean"]]
        np.testing.assert_allclose(found, expected, atol=tolerance)
    answer = answer_frame(bundle, write_frame({"id": 1, "key": "0@", "kind": "decode"}, z))
    np.testing.assert_allclose(read_frame(answer)[1].reshape(3, -1), expected, atol=1e-5)


def test_it_is_exported_with_its_label_said(bundle: Bundle, tmp_path: Path) -> None:
    made = write_export(bundle, tmp_path / "seven.html", None)
    assert made.not_decoded == ()
    assert "decoded as 7" in made.html


def test_a_model_in_memory(tiny_conditional_run: Run, few_digits: Dataset) -> None:
    model, test = load_model(tiny_conditional_run), few_digits.test
    names = [str(label) for label in range(10)]
    shown = explored_model(model, test.images[:9], np.array(names)[test.labels[:9]], label=3, label_names=names)
    np.testing.assert_allclose(shown.encoded.mean, encode(model, test.images[:9], test.labels[:9]).mean, atol=1e-5)
    drawn = explored_model(model)  # no images: draws, each of a label of its own
    assert drawn.labels is not None
    assert "decoded as 0" in drawn.name


def test_the_page_says_its_label_and_another_can_be_chosen(chromium, bundle: Bundle, tiny_conditional_run: Run) -> None:
    """The map stays where it is; pictures, and what else one had chosen, are the other label's."""
    model = load_model(tiny_conditional_run)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(bundle) as address:
        page = Page(context.new_page()).open(f"{address}#lang=en&theme=light&z=0.4,-0.2")
        choice = page.page.locator(".vx-as-label select")
        assert choice.evaluate("one => one.selectedOptions[0].textContent") == "7"
        z = np.array([[0.4, -0.2]], np.float32)
        assert same(page.decoded(z[0]), np.rint(255 * decode(model, z, 7)[0]).ravel())
        before = page.page.evaluate("[...vaelabExplorer.pane.places]")
        choice.select_option("3")
        page.until(
            "new URLSearchParams(location.search).get('label') === '3' && window.vaelabExplorer?.state.decoded > 0"
        )
        assert same(page.decoded(z[0]), np.rint(255 * decode(model, z, 3)[0]).ravel())
        assert choice.evaluate("one => one.selectedOptions[0].textContent") == "3"
        np.testing.assert_allclose(page.page.evaluate("[...vaelabExplorer.pane.places]"), before, atol=1e-6)
        assert "label=3" in page.page.evaluate("vaelabExplorer.address()")
        grid = page.page.evaluate("[...vaelabExplorer.bundle.columns.get('0/manifold').slice(0, 784)]")
        corner = np.full((1, 2), MANIFOLD_PLACES[0], np.float32)
        assert np.abs(np.array(grid) - 255 * decode(model, corner, 3)[0].ravel()).max() < 0.6
        assert page.faults == []
    context.close()


def test_wrong_labels_are_one_clear_line(tiny_conditional_run: Run, tiny_run: Run, few_digits: Dataset) -> None:
    model = load_model(tiny_conditional_run)
    for ask, words in (
        (
            lambda: explored_run(tiny_conditional_run, few_digits, label=12),
            "label 12: the model was trained with none such",
        ),
        (lambda: explored_run(tiny_run, few_digits, label=3), "this model sees no labels"),
        (lambda: explored_model(model, few_digits.test.images[:5]), "images are encoded given theirs; these have none"),
    ):
        with pytest.raises(VaelabError, match=words) as caught:
            ask()
        assert "\n" not in str(caught.value)
