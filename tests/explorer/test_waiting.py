"""What one waits for: said, the map first, priors as they come; and nothing compiled twice."""

import json
import logging
from dataclasses import replace

import httpx
import jax
import numpy as np
import pytest
from safetensors.numpy import load

from explorer.local_server import TOKEN, Serving
from explorer.test_browser import VIEW, Page
from vaelab.explorer.bundle import STEPS, Bundle
from vaelab.explorer.explored import Explored
from vaelab.explorer.server import answer_frame, read_frame, write_frame
from vaelab.explorer.source import Source


@pytest.fixture
def five_priors(bundle: Bundle) -> Explored:
    explored = bundle.explored[0]
    return replace(explored, priors=dict.fromkeys(("trained", "b", "c", "d", "e"), explored.model))


def manifest_of(view: bytes) -> dict:
    size = int.from_bytes(view[:8], "little")
    return json.loads(json.loads(view[8 : 8 + size])["__metadata__"]["manifest"])["runs"][0]


def test_the_first_view_has_one_prior_and_the_others_come_one_by_one(five_priors: Explored):
    found = Bundle((five_priors,))
    first = found.first_view
    assert len(found._priors) == 1  # nothing was computed for the others
    assert [entry.get("pending", False) for entry in manifest_of(first)["priors"]] == [False, True, True, True, True]
    whole = load(found.view)
    parts = [load(found.prior_file(0, number)) for number in range(1, 5)]
    together = load(first) | {name: array for part in parts for name, array in part.items()}
    assert together.keys() == whole.keys()
    assert not any(entry.get("pending") for entry in manifest_of(found.view)["priors"])


def test_the_map_is_there_before_its_other_priors(chromium, five_priors: Explored):
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(Bundle((five_priors,))) as address:
        page = Page(context.new_page())
        held = []
        page.page.route("**/priors/**", lambda route: held.append(route))
        page.open(f"{address}#lang=en&theme=light&prior=d")
        assert (page.layer_pixels("dots")[:, :, 3] > 150).sum() > 1000
        assert page.page.locator(".vx-numbers dd").nth(1).inner_text() == "on its way …"
        page.page.wait_for_timeout(200)
        assert "/priors/0/3" in held[0].request.url  # the one that is chosen comes first
        page.page.unroute("**/priors/**")  # which lets it go on
        page.until("vaelabExplorer.state.arrived === 4")
        assert page.page.locator(".vx-numbers dd").nth(1).inner_text() == "−1.84 nats"
        assert page.page.evaluate(f"{VIEW}.pane.priorView.pending") is None
        assert page.faults == []
    context.close()


def test_how_far_the_map_is_is_said_meanwhile(chromium, five_priors: Explored):
    found = Bundle((five_priors,))
    context = chromium.new_context(locale="en-GB")
    with Serving(found) as address:
        page = Page(context.new_page())
        held = []
        page.page.route("**/view", lambda route: held.append(route))
        found.progress.said("latents")
        found.progress.said("grid")
        page.page.goto(f"{address}#lang=en")
        page.until("document.querySelector('.vx-wait')?.textContent.includes('decoding the grid')")
        assert page.page.evaluate("document.querySelector('.vx-wait progress').value") == pytest.approx(2 / 6)
        held[0].continue_()
        page.until("Boolean(window.vaelabExplorer?.state.decoded > 0)")
    context.close()
    assert found.progress.as_json() == {"step": "priors", "share": 1.0}
    assert STEPS[-1] == "priors"


def test_a_second_question_about_an_image_compiles_nothing(bundle: Bundle, caplog):
    """The exact posterior asks some 130 of them."""
    own = bundle.explored[0]
    image = (own.images[0] / np.float32(255)).astype(np.float32)

    def ask(z: np.ndarray) -> np.ndarray:
        header = {"id": 1, "kind": "likelihoods", "key": "0", "image": 784}
        return read_frame(answer_frame(bundle, write_frame(header, z, image)))[1]

    z = np.zeros((64, 2), np.float32)
    first = ask(z)
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        again = [ask(z + np.float32(step)) for step in range(3)]
    assert not [record for record in caplog.records if "Compiling" in record.getMessage()]
    np.testing.assert_array_equal(again[0], first)


def test_what_belongs_to_another_version_is_refused(bundle: Bundle):
    version = ["one"]
    source = Source(lambda: bundle, lambda: version[0])
    with (
        Serving(source) as address,
        httpx.Client(base_url=address.split("/?")[0], timeout=60, trust_env=False) as client,
    ):
        client.get("/", params={"token": TOKEN})
        assert client.get("/weights/0", params={"version": "one"}).status_code == 200
        version[0] = "two"
        assert client.get("/version").text == "two"
        refused = client.get("/weights/0", params={"version": "one"})
        assert refused.status_code == 409
        assert "trained anew" in refused.text
        assert client.get("/priors/0/9").status_code in (404, 409)


def test_a_run_is_of_another_version_once_its_model_is_written(digit_run, tmp_path):
    import shutil

    from vaelab.explorer.source import stamp_of

    shutil.copytree(digit_run.folder, tmp_path / "run")
    stamp = stamp_of([str(tmp_path / "run")])
    before = stamp()
    assert stamp() == before
    snapshot = next((tmp_path / "run" / "snapshots").glob("*.safetensors"))
    snapshot.touch()
    assert stamp() == before  # a training writes these all the time
    model = tmp_path / "run" / "model.safetensors"
    model.write_bytes(model.read_bytes())
    assert stamp() != before
