"""Parts given in Python, as factories and as modules: they train, and a copy, a pickle, a search and a run folder know them again."""

import pickle
from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array, PRNGKeyArray
from outsiders.adversarial import Adversarial
from outsiders.laplace import LaplaceFamily
from outsiders.student import StudentPrior
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import vaelab
from vaelab import VAE
from vaelab.densities import Delta
from vaelab.errors import VaelabError
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import GaussianLikelihoodSettings
from vaelab.networks.settings import MlpSettings
from vaelab.space import Shape, Space
from vaelab.support import BINARY, REALS, Support

X = load_digits().images[:300] / 16


class Flattened(eqx.Module):
    """Another library's network, which holds a function that is no array and does not pickle."""

    mlp: eqx.nn.MLP

    def __init__(self, shape: Shape, key: PRNGKeyArray):
        self.mlp = eqx.nn.MLP(int(np.prod(shape)), 8, 12, 1, key=key)

    def __call__(self, x: Array) -> Array:
        return self.mlp(jnp.ravel(x))


def decoder(shape: Shape, key: PRNGKeyArray) -> eqx.nn.MLP:
    return eqx.nn.MLP(shape[0], 8, 12, 1, key=key)


def laplace(shape: Shape, key: PRNGKeyArray) -> LaplaceFamily:
    del key
    return LaplaceFamily(Space.of_shape(shape))


def student(shape: Shape, key: PRNGKeyArray) -> StudentPrior:
    del key
    return StudentPrior(jnp.zeros(shape), 4.0)


def critic(shape: Shape, key: PRNGKeyArray) -> Adversarial:
    del shape, key
    return Adversarial(8)


GIVEN: dict[str, dict[str, Any]] = {
    "networks": {"encoder": Flattened, "decoder": decoder},
    "families": {"posterior": laplace, "likelihood": laplace},
    "a prior": {"prior": student},
    "an objective": {"objective": critic},
    "all six": {
        "encoder": Flattened,
        "decoder": decoder,
        "posterior": laplace,
        "likelihood": laplace,
        "prior": student,
        "objective": critic,
    },
}


def vae_of(parts: dict[str, Any], **changes: Any) -> VAE:
    return VAE(**{"hidden": (8,), "epochs": 1, "batch_size": 50, "random_state": 3} | parts | changes)


@pytest.mark.parametrize("name", GIVEN)
def test_it_trains_by_its_seed_alone(name: str) -> None:
    one, same, other = (vae_of(GIVEN[name], random_state=seed).fit(X) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.transform(X), same.transform(X))
    assert not np.array_equal(one.transform(X), other.transform(X))
    assert np.isfinite(one.score_samples(X[:5])).all()
    assert one.sample(3, random_state=0).shape == (3, 8, 8)


@pytest.mark.parametrize("name", GIVEN)
def test_a_clone_and_a_pickle_are_the_same(name: str) -> None:
    vae = vae_of(GIVEN[name]).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vae)).transform(X), vae.transform(X))
    np.testing.assert_array_equal(clone(vae).fit(X).transform(X), vae.transform(X))


@pytest.mark.parametrize("name", GIVEN)
def test_a_run_folder_takes_the_parts_again(tmp_path: Path, name: str) -> None:
    parts = GIVEN[name]
    vae = vae_of(parts).fit(X)
    vae.save(tmp_path / "run")
    assert "test_given_parts" in (tmp_path / "run" / "config.toml").read_text()
    with pytest.raises(VaelabError, match=r"was given in Python, and no file holds it.*parts="):
        vaelab.load(tmp_path / "run")
    again = vaelab.load(tmp_path / "run", parts=parts)
    np.testing.assert_array_equal(again.transform(X), vae.transform(X))
    assert {part: again.get_params()[part] for part in parts} == parts


def test_a_search_over_parts_in_two_processes() -> None:
    search = GridSearchCV(vae_of({}), {"encoder": [Flattened], "prior": ["normal", student]}, cv=2, n_jobs=2)
    search.fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_settings_do_as_well_as_names() -> None:
    by_settings = vae_of(
        {"encoder": MlpSettings(hidden=(8,)), "likelihood": GaussianLikelihoodSettings(scale=0.3)}
    ).fit(X)
    by_values = vae_of(
        {"encoder": {"kind": "mlp", "hidden": [8]}, "likelihood": {"kind": "gaussian", "scale": 0.3}}
    ).fit(X)
    by_name = vae_of({"likelihood": "gaussian"}, settings={"model.likelihood.scale": 0.3}).fit(X)
    np.testing.assert_array_equal(by_settings.transform(X), by_values.transform(X))
    np.testing.assert_array_equal(by_settings.transform(X), by_name.transform(X))


def test_a_ready_module_begins_from_its_own_weights() -> None:
    ready = Flattened((8, 8), jr.key(0))
    one, other = (vae_of({"encoder": ready}, random_state=seed, learning_rate=1e-12).fit(X) for seed in (0, 1))
    mine = jax.vmap(ready)(jnp.asarray(X[:3], jnp.float32))
    for vae in (one, other):
        np.testing.assert_allclose(
            jax.vmap(vae.model_.encoder.network)(jnp.asarray(X[:3], jnp.float32)), mine, atol=1e-5
        )


class NoDensity(AbstractFamily):
    support: ClassVar[Support] = REALS
    space: Space = eqx.field(static=True)

    def parameters(self) -> dict[str, Shape]:
        return {"code": self.space.shape}

    def __call__(self, *, code: Array) -> Delta:
        return Delta(code)


class WrongShape(AbstractFamily):
    support: ClassVar[Support] = BINARY
    space: Space = eqx.field(static=True)

    def parameters(self) -> dict[str, Shape]:
        return {"code": (3,)}

    def __call__(self, *, code: Array) -> Delta:
        return Delta(code)


class Impure(eqx.Module):
    """No function of its arrays: it asks NumPy for the value."""

    weight: Array

    def __init__(self, shape: Shape, key: PRNGKeyArray):
        self.weight = jr.normal(key, (int(np.prod(shape)), 4))

    def __call__(self, x: Array) -> Array:
        return jnp.asarray(np.asarray(x).ravel() @ np.asarray(self.weight))


class Scalar(eqx.Module):
    weight: Array

    def __init__(self, shape: Shape, key: PRNGKeyArray):
        self.weight = jr.normal(key, shape)

    def __call__(self, x: Array) -> Array:
        return jnp.sum(x * self.weight)


def failing(shape: Shape, key: PRNGKeyArray) -> eqx.Module:
    raise RuntimeError("out of paint")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a number": (
        {"encoder": 3},
        r"encoder \(model.encoder\): expected the name of a kind, its settings, or a factory.*found 3",
    ),
    "settings without a kind": ({"prior": {"components": 3}}, "prior: expected settings with a 'kind'"),
    "an unknown name": ({"encoder": "mpl"}, "unknown network 'mpl'; did you mean 'mlp'"),
    "a factory that fails": (
        {"encoder": failing},
        r"failing: a factory takes \(shape, key\).*RuntimeError: out of paint",
    ),
    "no module": ({"encoder": lambda shape, key: 5}, "expected a network, an Equinox module.*found int"),
    "of another shape": ({"decoder": Flattened, "encoder": decoder}, r"network could not be called.*shape \(8, 8\)"),
    "one number": ({"encoder": Scalar}, "expected features, one array of one axis or more"),
    "no function of its arrays": ({"encoder": Impure}, "as a function of its arrays"),
    "a network for a prior": ({"prior": decoder}, "expected a prior, a subclass of vaelab.priors.base.AbstractPrior"),
    "a network for a family": ({"posterior": decoder}, "expected a family, a subclass of"),
    "a network for an objective": ({"objective": Flattened}, "expected an objective, a subclass of"),
    "codes of another shape": (
        {"posterior": lambda shape, key: WrongShape(Space.of_shape(shape))},
        r"the posterior \(foreign\): expected codes of the shapes \[\(2,\)\]; found \[\(3,\)\]",
    ),
    "no density, and a prior to train": (
        {"posterior": lambda shape, key: NoDensity(Space.of_shape(shape)), "prior": "mixture"},
        "has no density, so there is no KL that would train a prior",
    ),
    "values that it does not score": (
        {"likelihood": lambda shape, key: WrongShape(Space.of_shape(shape)), "hidden": (4,)},
        r"the likelihood \(foreign\)|could not be called",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_part_that_does_not_fit_is_one_clear_line(name: str) -> None:
    parts, words = BAD[name]
    with pytest.raises(VaelabError, match=words) as raised:
        vae_of(parts).fit(X)
    assert "\n" not in str(raised.value)


def test_a_part_of_another_run_is_refused(tmp_path: Path) -> None:
    vae_of({"encoder": Flattened}).fit(X).save(tmp_path / "run")
    with pytest.raises(
        VaelabError, match=r"'prior' is no part of this run that was given in Python; those are: encoder"
    ):
        vaelab.load(tmp_path / "run", parts={"prior": student})


def test_a_codes_without_density_trains_as_an_autoencoder() -> None:
    vae = vae_of({"posterior": lambda shape, key: NoDensity(Space.of_shape(shape))}).fit(X)
    assert not vae.model_.has_density
    with pytest.raises(VaelabError, match="autoencoder"):
        vae.score_samples(X[:2])
