"""A network that is told the label, against its formula in NumPy; and that nothing answers without a label."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.building import build_model
from vaelab.config import Config, ModelConfig
from vaelab.errors import VaelabError
from vaelab.foreign import GivenNetworkSettings
from vaelab.kinds import NETWORKS
from vaelab.model import Model, elbo_terms
from vaelab.networks.conditioned import Conditioned, with_label
from vaelab.networks.settings import ConditionedSettings
from vaelab.space import Space

KEY = jr.key(2)
CLASSES = 3
LABELS = [0, 1, 2]


def built(network: Any, given: Space) -> Conditioned:
    made = NETWORKS.build(ConditionedSettings(network=NETWORKS.settings(network), classes=CLASSES), given, key=KEY)
    tables = [jr.normal(jr.fold_in(KEY, place), made.scale.shape) for place in range(2)]
    return eqx.tree_at(lambda made: (made.scale, made.shift), made, tables)


@pytest.mark.parametrize("label", LABELS)
def test_a_perceptron_reads_a_one_hot_code_and_is_scaled_and_shifted(label: int) -> None:
    network = built({"kind": "mlp", "hidden": (7,)}, Space.of_shape((4, 5)))
    x = np.asarray(jr.normal(jr.key(1), (4, 5)))
    layer = network.network.layers[0]
    read = np.concatenate([x.ravel(), np.eye(CLASSES)[label]])
    features = np.maximum(read @ np.asarray(layer.weight) + np.asarray(layer.bias), 0.0)
    expected = features * (1.0 + np.asarray(network.scale)[label]) + np.asarray(network.shift)[label]
    np.testing.assert_allclose(network(x, jnp.int32(label)), expected, rtol=1e-5, atol=1e-6)


class Mean(eqx.Module):
    """Another library's network: the mean over the places of a map, channel by channel."""

    weight: jax.Array

    def __call__(self, x: jax.Array) -> jax.Array:
        return x.mean(axis=(0, 1)) * self.weight


@pytest.mark.parametrize(("shape", "channels"), [((4, 5), 1), ((4, 5, 2), 2)])
@pytest.mark.parametrize("label", LABELS)
def test_a_map_has_the_label_as_further_channels(shape: tuple[int, ...], channels: int, label: int) -> None:
    shapes: list[Any] = []

    def factory(shape: tuple[int, ...], key: jax.Array) -> Mean:
        shapes.append(shape)
        return Mean(jnp.ones(shape[-1]))

    network = built(GivenNetworkSettings(name="mean").give(factory), Space.of_shape(shape))
    assert shapes[0] == (4, 5, channels + CLASSES)
    x = np.asarray(jr.normal(jr.key(1), shape))
    means = np.concatenate([x.reshape(20, channels).mean(axis=0), np.eye(CLASSES)[label]])
    expected = means * (1.0 + np.asarray(network.scale)[label]) + np.asarray(network.shift)[label]
    np.testing.assert_allclose(network(x, jnp.int32(label)), expected, rtol=1e-5, atol=1e-6)


def test_the_space_grows_by_the_labels() -> None:
    tree = Space.of({"map": (4, 4, 8), "vector": (6,)})
    assert with_label(tree, 10, flat=True) == Space.of_shape((4 * 4 * 8 + 6 + 10,))
    assert with_label(tree, 10, flat=False) == Space.of({"map": (4, 4, 18), "vector": (16,)})
    assert with_label(Space.of_shape((28, 28)), 10, flat=False) == Space.of_shape((28, 28, 11))


def test_training_begins_with_the_network_itself() -> None:
    made = NETWORKS.build(
        ConditionedSettings(network=NETWORKS.settings("mlp"), classes=2), Space.of_shape((3,)), key=KEY
    )
    x = jnp.array([0.3, -1.0, 2.0])
    alone = made.network(jnp.concatenate([x, jnp.array([0.0, 1.0])]))
    np.testing.assert_array_equal(made(x, jnp.int32(1)), alone)


# --- whole models ---------------------------------------------------------------------------------------------------------------------


def model_of(prior: str = "normal", posterior: str = "gaussian") -> Model:
    """An untrained model of 4 x 5 images and three labels, its labels' tables shaken."""
    prior_values = {"kind": prior, "classes": CLASSES} if prior == "class" else {"kind": prior}
    if prior == "vamp":
        prior_values["components"] = 4
    values = {
        "latent_dim": 2, "image_shape": (4, 5), "condition": "labels", "classes": CLASSES, "prior": prior_values,
        "posterior": posterior, "encoder": {"hidden": (6,)}, "decoder": {"hidden": (6,)},
    }  # fmt: skip
    model = build_model(ModelConfig.model_validate(values), KEY)
    where = lambda model: [part.network.shift for part in (model.encoder, model.decoder)]  # noqa: E731
    return eqx.tree_at(where, model, [jr.normal(jr.fold_in(KEY, place), (CLASSES, 6)) for place in range(2)])


IMAGE = jr.uniform(jr.key(9), (4, 5))
Z = jnp.array([0.4, -0.7])
PRIORS = ["normal", "mixture", "flow", "class", "vamp"]


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("label", LABELS)
def test_the_model_given_a_label_is_the_model_called_with_it(prior: str, label: int) -> None:
    model, condition = model_of(prior), jnp.int32(label)
    given = model.given(label)
    assert model.is_conditional
    assert not given.is_conditional
    np.testing.assert_allclose(
        given.posterior(IMAGE).centre, model.posterior(IMAGE, condition=condition).centre, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        given.likelihood(Z).log_prob(IMAGE), model.likelihood(Z, condition).log_prob(IMAGE), rtol=1e-5
    )
    np.testing.assert_allclose(
        given.prior_density().log_prob(Z), model.prior_density().given(condition).log_prob(Z), rtol=1e-4, atol=1e-5
    )
    ours, theirs = (
        elbo_terms(one, one.prior_density(), IMAGE, jr.key(4), *more)
        for one, more in ((given, ()), (model, (condition,)))
    )
    np.testing.assert_allclose(ours.log_weight, theirs.log_weight, rtol=1e-4, atol=1e-4)
    assert given.posterior_kind == model.posterior_kind == "gaussian"
    assert given.likelihood_kind == model.likelihood_kind == "bernoulli"
    assert given.has_density
    assert model.has_density


@pytest.mark.parametrize("prior", ["class", "vamp"])
def test_a_prior_that_sees_labels_is_another_for_each_and_their_mixture_by_frequency(prior: str) -> None:
    model = model_of(prior)
    frequencies = np.log(np.array([0.5, 0.2, 0.3], np.float32))
    model = eqx.tree_at(lambda model: model.log_frequencies, model, jnp.asarray(frequencies))
    if prior == "class":
        model = eqx.tree_at(lambda model: model.prior.log_frequencies, model, jnp.asarray(frequencies))
    each = [float(model.given(label).prior_density().log_prob(Z)) for label in LABELS]
    assert len(set(np.round(each, 3))) == CLASSES
    expected = np.logaddexp.reduce(frequencies + np.array(each))
    np.testing.assert_allclose(model.prior_density().given(None).log_prob(Z), expected, rtol=1e-4)


def test_every_part_depends_on_the_label() -> None:
    model = model_of()
    centres = [np.asarray(model.given(label).posterior(IMAGE).centre) for label in LABELS]
    pictures = [np.asarray(model.given(label).likelihood(Z).centre) for label in LABELS]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(centres[first] - centres[second]).max() > 1e-3
        assert np.abs(pictures[first] - pictures[second]).max() > 1e-3


def test_nothing_answers_without_a_label() -> None:
    model = model_of()
    for ask in (
        lambda: model.posterior(IMAGE),
        lambda: model.likelihood(Z),
        lambda: elbo_terms(model, model.prior_density(), IMAGE, KEY),
    ):
        with pytest.raises(VaelabError, match=r"trained with labels.*give the label") as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_no_configuration_names_the_network_that_is_told_the_label() -> None:
    with pytest.raises(VaelabError, match=r"model.encoder: 'conditioned' is put around a network by model.condition"):
        Config().with_values({"model.encoder.kind": "conditioned"})
    with pytest.raises(VaelabError, match=r"model.condition: .*'none' or 'labels'; found 'label'"):
        Config().with_values({"model.condition": "label"})
