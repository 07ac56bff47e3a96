"""Laws of networks: shapes, purity, gradients that reach every weight, and the same features for one example and in a batch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from laws.table import IMAGE, KEY, LATENT, NETWORK_SETTINGS, network_of
from vaelab.space import Space

GIVEN = {
    "an image": Space.of_shape(IMAGE),
    "a vector": Space.of_shape(LATENT),
    "a tree": Space.of({"a": (2, 2, 1), "b": (3,)}),
}
EACH = [(name, given) for name in NETWORK_SETTINGS for given in GIVEN]


def example(space: Space, seed: int = 0):
    return space.back(jr.normal(jr.key(seed), (space.size,)))


@pytest.mark.parametrize(("name", "given"), EACH)
def test_features_have_the_shape_that_it_says(name: str, given: str) -> None:
    network = network_of(name, GIVEN[given])
    assert network(example(GIVEN[given])).shape == network.out_shape


@pytest.mark.parametrize(("name", "given"), EACH)
def test_its_leaves_are_arrays_and_it_follows_from_its_key(name: str, given: str) -> None:
    network, again = network_of(name, GIVEN[given]), network_of(name, GIVEN[given])
    assert all(eqx.is_array(leaf) for leaf in jax.tree.leaves(network))
    assert eqx.tree_equal(network, again)


@pytest.mark.parametrize(("name", "given"), EACH)
def test_one_by_one_and_in_a_batch_are_the_same(name: str, given: str) -> None:
    network = network_of(name, GIVEN[given])
    examples = [example(GIVEN[given], seed) for seed in range(3)]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *examples)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(network))(batch), jnp.stack([network(one) for one in examples]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("name", "given"), EACH)
def test_every_weight_has_a_finite_gradient(name: str, given: str) -> None:
    network = network_of(name, GIVEN[given])
    # far from a ReLU's corner, and no unit dead for all
    examples = jnp.stack([jr.normal(key, (GIVEN[given].size,)) for key in jr.split(KEY, 64)])

    def loss(network) -> jax.Array:
        return jnp.sum(jax.vmap(lambda x: network(GIVEN[given].back(x)))(examples) ** 2)

    for leaf in jax.tree.leaves(eqx.filter_grad(loss)(network)):
        assert np.isfinite(leaf).all()
        assert np.abs(leaf).max() > 0.0


@pytest.mark.parametrize(("name", "given"), EACH)
def test_what_reads_the_input_is_a_mask_of_its_weights(name: str, given: str) -> None:
    """A weight of the mask is multiplied with each value of the input: one axis of it is as long, or it is a convolution's (4 axes)."""
    network = network_of(name, GIVEN[given])
    mask = network.reads_input()
    assert jax.tree.structure(mask) == jax.tree.structure(network)
    for leaf, reads in zip(jax.tree.leaves(network), jax.tree.leaves(mask), strict=True):
        size = GIVEN[given].size + NETWORK_SETTINGS[name].get("classes", 0)
        assert not reads or size in leaf.shape or leaf.ndim == 4
