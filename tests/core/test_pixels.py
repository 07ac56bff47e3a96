"""Pixel treatments against what they are defined to be."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from vaelab.pixels import bernoulli_draw, scaled, seen, seen_once


def test_grey_is_the_value_over_255():
    images = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(scaled(jnp.asarray(images)), np.arange(256) / 255, atol=1e-7)
    floats = jnp.array([0.25, -3.0])
    np.testing.assert_array_equal(scaled(floats), floats)


def test_dynamic_draws_have_the_grey_value_as_their_frequency():
    grey = jnp.asarray(np.arange(256, dtype=np.uint8))
    draws = np.asarray(seen(jnp.broadcast_to(grey, (20_000, 256)), "dynamic", jr.key(0)))
    assert set(np.unique(draws)) == {0.0, 1.0}
    probability = np.arange(256) / 255
    deviation = np.sqrt(probability * (1 - probability) / len(draws))
    assert (np.abs(draws.mean(axis=0) - probability) <= 5 * deviation + 1 / 65536).all()
    assert (draws[:, 0] == 0).all()
    assert (draws[:, 255] == 1).all()


def test_draws_of_neighbours_are_independent():
    draws = np.asarray(bernoulli_draw(jnp.full((2000, 33), 0.5), jr.key(1)))
    correlations = np.corrcoef(draws.T) - np.eye(33)
    assert np.abs(correlations).max() < 5.5 / np.sqrt(2000)


def test_held_out_images_are_drawn_once_by_their_seed(few_digits):
    images = few_digits.test.images
    first, again, other = (seen_once(images, "dynamic", seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first.dtype == np.uint8
    assert set(np.unique(first)) == {0, 255}
    np.testing.assert_array_equal(seen_once(images, "grey", 0), images)
    np.testing.assert_array_equal(seen_once(images, "threshold", 0) > 0, images > 127)
