"""Parts that live outside of vaelab go through everything that a run goes through. It fails wherever a kind is known by name."""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.random as jr
import numpy as np
import pytest
from typer.testing import CliRunner

from vaelab.cli.app import app
from vaelab.data import load_data
from vaelab.densities import sample_many
from vaelab.explorer.bundle import Bundle, engine_for
from vaelab.explorer.explored import explored_run
from vaelab.generating import decode, encode
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run
from vaelab.tensors import read_tensors

CASTS = {
    "all strangers": {
        "model.encoder.kind": "wave",
        "model.decoder.kind": "wave",
        "model.posterior.kind": "laplace",
        "model.likelihood.kind": "laplace-pixels",
        "model.prior.kind": "student",
        "objective.kind": "adversarial",
    },
    "a tree with a map": {"model.posterior.kind": "map-and-vector", "model.latent_dim": "4"},
    "a tree, strange prior and critic": {
        "model.posterior.kind": "map-and-vector",
        "model.latent_dim": "8",
        "model.prior.kind": "student",
        "objective.kind": "adversarial",
    },
    "a tree under a VampPrior": {
        "model.posterior.kind": "map-and-vector",
        "model.latent_dim": "4",
        "model.prior.kind": "vamp",
        "model.prior.components": "5",
    },
}


def vaelab(*words: object) -> str:
    """What a command prints; it has to end well."""
    found = CliRunner().invoke(app, [str(word) for word in words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.output


def settings(cast: str) -> list[str]:
    return [word for key, value in CASTS[cast].items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module", params=CASTS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("strangers") / "run"
    small = ["--batch-size", "50", "--no-figures", "--set", "training.checkpoint_seconds=0"]
    vaelab("train", "digits", "--epochs", "2", *small, *settings(request.param), "--out", folder)
    return Run.open(folder)


def test_the_configuration_names_the_strangers(run: Run) -> None:
    text = (run.folder / "config.toml").read_text()
    assert "map-and-vector" in text or "laplace" in text
    assert Run.open(run.folder).config == run.config


def test_loaded_it_is_what_was_saved(run: Run) -> None:
    model, images = load_model(run), load_data("digits").test.images
    again = load_model(Run.open(run.folder))
    for name, array in named_arrays(model).items():
        np.testing.assert_array_equal(named_arrays(again)[name], array)
    encoded = encode(model, images)
    assert encoded.mean.shape == (len(images), model.latent_dim)
    assert not np.array_equal(encoded.draw, encoded.mean)
    assert decode(model, encoded.mean).shape == images.shape


def test_log_prob_and_draws_of_the_prior_agree(run: Run) -> None:
    """E[1] under the draws' own density: the mean of q / p with q a wider Gaussian is 1 (importance sampling's identity)."""
    model = load_model(run)
    density, size = model.prior_density(), model.latent_dim
    draws = sample_many(density, jr.key(0), 4000)
    assert draws.shape == (4000, size)
    spread = np.asarray(draws).std(axis=0) * 0.7
    log_q = -0.5 * np.sum((np.asarray(draws) / spread) ** 2 + np.log(2 * np.pi * spread**2), axis=1)
    log_p = np.asarray(jax.vmap(density.log_prob)(draws))
    assert np.exp(log_q - log_p).mean() == pytest.approx(1.0, abs=0.15)


def test_resumed_it_goes_on_with_every_player(run: Run, tmp_path: Path) -> None:
    """Cut off after one epoch of two and resumed, it has the weights of the training that was not."""
    cut = tmp_path / "cut"
    config = run.config.with_values({"training.epochs": 1})
    (tmp_path / "cut.toml").write_text(config.to_toml())
    vaelab("train", "digits", "--config", tmp_path / "cut.toml", "--no-figures", "--out", cut)
    (cut / "model.safetensors").unlink()
    (cut / "config.toml").write_text(run.config.to_toml())
    vaelab("train", "--resume", cut, "--no-figures")
    arrays, expected = (named_arrays(load_model(one)) for one in (Run.open(cut), run))
    for name in expected:
        np.testing.assert_array_equal(arrays[name], expected[name])


COMMANDS: dict[str, Callable[[Run, Path], list[object]]] = {
    "summary": lambda run, folder: ["summary", run.folder],
    "evaluate": lambda run, folder: ["evaluate", run.folder, "--importance-samples", "20"],
    "doctor": lambda run, folder: ["doctor", run.folder],
    "fit-prior": lambda run, folder: ["fit-prior", run.folder, "mixture", "--components", "2"],
    "sample": lambda run, folder: ["sample", run.folder, "--out", folder / "samples.png"],
    "reconstruct": lambda run, folder: ["reconstruct", run.folder, "--out", folder / "pairs.png"],
    "encode": lambda run, folder: ["encode", run.folder, "--out", folder / "codes.npz"],
    "interpolate": lambda run, folder: [
        "interpolate",
        run.folder,
        "--between",
        "label:0",
        "label:1",
        "--out",
        folder / "way.png",
    ],
    "plot": lambda run, folder: ["plot", run.folder, "latent", "--out", folder / "latent.png"],
    "explore": lambda run, folder: ["explore", run.folder, "--export", folder / "page.html"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_it(run: Run, tmp_path: Path, command: str) -> None:
    vaelab(*COMMANDS[command](run, tmp_path))


def test_the_page_knows_who_decodes(run: Run) -> None:
    """What the page cannot compute the server does; its manifest has the images and the codes all the same."""
    explored = explored_run(run, load_data("digits"))
    assert len(Bundle((explored,)).view) > 1000
    place, reason = engine_for(explored.model)
    assert place == "server"
    assert reason


def test_a_checkpoint_holds_the_second_player(run: Run) -> None:
    if run.config.objective.kind != "adversarial":
        pytest.skip("one player")
    names = set(read_tensors(run.checkpoint_file)[0])
    assert any(name.startswith("state.players.critic.") for name in names)
    assert any(name.startswith("state.optimisers.critic.") for name in names)
    assert "critic" in run.metrics()[0]


def test_tables_offer_the_strangers_beside_ours() -> None:
    assert "wave" in NETWORKS.names
    assert {"laplace", "map-and-vector"} <= set(POSTERIORS.names)
    assert "laplace-pixels" in LIKELIHOODS.names
    assert "student" in PRIORS.names
    assert "adversarial" in OBJECTIVES.names
