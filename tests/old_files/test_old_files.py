"""Files of earlier formats, kept for ever: a run, its checkpoint, its snapshots, fitted priors and half-precision weights still read.

`format_1` was written by the state of the project before format 2; `expected.npz` is what that state made of it.
"""

import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from vaelab.cli.app import app
from vaelab.data import load_data
from vaelab.estimator import load
from vaelab.explorer.explored import with_decoder
from vaelab.generating import decode, encode
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run
from vaelab.training.snapshots import read_snapshots

OLD = Path(__file__).parent / "format_1"
RUNS = ("plain", "rich", "autoencoder", "flow")


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(OLD / "expected.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_means_what_it_meant(name: str, expected: dict[str, np.ndarray]) -> None:
    model = load_model(Run.open(OLD / name))
    encoded = encode(model, load_data("digits").test.images[:6])
    np.testing.assert_allclose(encoded.mean, expected[f"{name}.mean"], atol=1e-5)
    if encoded.log_variance is not None:
        np.testing.assert_allclose(encoded.log_variance, expected[f"{name}.log_variance"], atol=1e-5)
    z = expected[f"{name}.z"]
    np.testing.assert_allclose(decode(model, z), expected[f"{name}.decoded"], atol=1e-5)
    log_probs = jax.vmap(model.prior_density().log_prob)(jnp.asarray(z))
    np.testing.assert_allclose(log_probs, expected[f"{name}.prior"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prior", ["mixture", "kde", "flow", "second-stage", "mixture-by-class"])
def test_a_fitted_prior_means_what_it_meant(prior: str, expected: dict[str, np.ndarray]) -> None:
    model = load_model(Run.open(OLD / "plain"), prior)
    log_probs = jax.vmap(model.prior_density().log_prob)(jnp.asarray(expected["plain.z"]))
    np.testing.assert_allclose(log_probs, expected[f"plain.prior.{prior}"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["plain", "rich"])
def test_snapshots_hold_the_decoder_of_then(name: str) -> None:
    run = Run.open(OLD / name)
    model, snapshots = load_model(run), read_snapshots(run, load_model(run).latent_dim)
    assert len(snapshots) == len(run.snapshots())
    before, last = (with_decoder(model, one) for one in (snapshots[0], snapshots[-1]))
    z = np.zeros((1, model.latent_dim), np.float32)
    assert not np.allclose(decode(before, z), decode(last, z), atol=1e-3)
    if run.config.training.averaging is None:  # of averaged weights the last epoch's are no snapshot
        np.testing.assert_allclose(decode(last, z), decode(model, z), atol=2e-3)


def test_an_interrupted_training_goes_on_to_the_weights_of_then(tmp_path: Path) -> None:
    """The checkpoint after one epoch of two: averages, an optimiser's moments, the best weights, a VampPrior."""
    shutil.copytree(OLD / "unfinished", tmp_path / "run")
    found = CliRunner().invoke(app, ["train", "--resume", str(tmp_path / "run"), "--no-figures"])
    assert found.exit_code == 0, found.output
    arrays, then = (named_arrays(load_model(Run.open(folder))) for folder in (tmp_path / "run", OLD / "rich"))
    for name in then:
        np.testing.assert_allclose(arrays[name], then[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_estimator_of_an_old_run_trains_such_a_model() -> None:
    vae = load(OLD / "rich")
    assert (vae.latent_dim, vae.likelihood, vae.activation) == (3, "gaussian", "gated")
    assert load(OLD / "autoencoder").transform(load_data("digits").test.images[:3]).shape == (3, 2)
