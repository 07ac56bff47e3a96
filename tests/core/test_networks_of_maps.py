"""Networks that go down from an image, and up to one: sizes of every kind, what the image's size chooses, dropout, and what is refused."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.building import build_model, build_network
from vaelab.config import Config, ModelConfig
from vaelab.errors import VaelabError
from vaelab.kinds import NETWORKS
from vaelab.model import Model, elbo_terms, mean_image_alone, weights_on_pixels
from vaelab.naming import named_arrays
from vaelab.networks.maps import depth_to_space, dropped, vaelab_space_to_depth
from vaelab.networks.normalisation import GroupNorm
from vaelab.space import Space
from vaelab.summary import summarise

KINDS = ("convolutional", "residual")
SHAPES = [(28, 28), (30, 45), (9, 4, 3), (64, 64, 3)]


def config_of(kind: str, shape: tuple[int, ...], **settings: Any) -> ModelConfig:
    part = {"kind": kind, **settings}
    return ModelConfig.model_validate(
        {"latent_dim": 3, "image_shape": shape, "encoder": part, "decoder": part, "likelihood": "gaussian"}
    )


def model_of(kind: str, shape: tuple[int, ...], **settings: Any) -> Model:
    return jax.jit(lambda key: build_model(config_of(kind, shape, **settings), key))(jr.key(0))


@pytest.mark.parametrize("shape", [*SHAPES, (128, 128, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size_comes_back_whole(kind: str, shape: tuple[int, ...]):
    """By shapes alone: nothing is computed."""

    def both(image: jax.Array) -> jax.Array:
        model = model_of(kind, shape)
        return model.likelihood(model.posterior(image).centre).centre

    assert jax.eval_shape(both, jax.ShapeDtypeStruct(shape, jnp.float32)).shape == shape


@pytest.mark.parametrize("kind", KINDS)
def test_every_pixel_is_seen_and_drawn(kind: str):
    """Padding and cropping lose none: a change of any pixel changes the code, and a change of the code every pixel."""
    model = model_of(kind, (9, 6, 1))
    image = jr.uniform(jr.key(1), model.image_shape)
    seen = jax.jit(jax.jacrev(lambda x: model.posterior(x).centre))(image)
    assert (jnp.abs(seen).max(axis=0) > 0).all()
    drawn = jax.jit(jax.jacfwd(lambda z: model.likelihood(z).centre))(jnp.ones(3))
    assert (jnp.abs(drawn).max(axis=-1) > 0).all()


@pytest.mark.parametrize(
    ("shape", "channels", "blocks"),
    [
        ((8, 8), (32,), (1,)),
        ((28, 28), (32, 64, 128), (1, 1, 1)),
        ((30, 45), (32, 64, 128), (1, 1, 1)),
        ((64, 64, 3), (32, 64, 128, 128), (1, 1, 1, 1)),
        ((128, 96, 3), (32, 64, 128, 128, 128), (0, 1, 1, 1, 1)),
    ],
)
def test_depth_follows_the_images_size(shape: tuple[int, ...], channels: tuple[int, ...], blocks: tuple[int, ...]):
    for kind in KINDS:
        settings = NETWORKS.settings(kind)
        encoder, decoder = (settings.completed(shape, decodes=decodes).model_dump() for decodes in (False, True))
        assert encoder["channels"] == channels
        assert decoder["channels"] == channels[::-1]
        if kind == "residual":
            assert (encoder["blocks"], decoder["blocks"]) == (blocks, blocks[::-1])
        chosen = NETWORKS.settings(encoder)
        assert chosen.completed((200, 200), decodes=False) == chosen  # once chosen, it stays


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, ...], str]] = {
    "smaller than the kernel": (
        {},
        (3, 9),
        "3 x 9 pixels are smaller than the network convolutional's kernel of 4 x 4",
    ),
    "smaller than the strides": (
        {"channels": [8] * 4},
        (8, 12),
        r"cannot be halved 4 times, .*give 3 channels at most",
    ),
    "no image": ({}, (64,), r"found examples of shape \(64,\)"),
    "no layer": ({"channels": []}, (8, 8), "one layer or more"),
    "blocks for other maps": ({"kind": "residual", "blocks": [1, 1]}, (8, 8), "expected 1; found 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_read_is_refused_in_one_line(name: str):
    changes, shape, words = REFUSED[name]
    settings = NETWORKS.settings({"kind": "convolutional", **changes})
    with pytest.raises((VaelabError, ValueError), match=words):
        settings.completed(shape, decodes=False)
    with pytest.raises((VaelabError, ValueError), match=words):
        build_network(settings, Space.of_shape((2,)), wanted=Space.of_shape(shape), key=jr.key(0))


def test_blocks_are_counted_where_both_are_given():
    with pytest.raises(VaelabError, match="expected 2; found 1"):
        Config().with_values(
            {"model.encoder.kind": "residual", "model.encoder.channels": [8, 8], "model.encoder.blocks": [1]}
        )


# --- what is left out in training ---------------------------------------------------------------------------------------------------


def test_dropout_leaves_out_whole_channels_and_keeps_the_mean():
    found = jax.vmap(lambda key: dropped(jnp.ones((2, 3, 40)), 0.25, key))(jr.split(jr.key(0), 200))
    assert set(np.unique(found)) == {0.0, np.float32(1 / 0.75)}
    assert (found == found[:, :1, :1]).all()
    assert found.mean() == pytest.approx(1.0, abs=0.02)
    assert (dropped(jnp.ones(3), 0.25, None) == 1.0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_only_training_has_dropout(kind: str):
    model, without = (model_of(kind, (8, 8), channels=[8], dropout=rate) for rate in (0.5, 0.0))
    image = jr.uniform(jr.key(1), (8, 8))

    @jax.jit
    def terms(model: Model, key: jax.Array | None) -> jax.Array:
        return elbo_terms(model, model.prior_density(), image, jr.key(2), dropout=key).reconstruction

    def loss(model: Model, key: jax.Array | None) -> float:
        return float(terms(model, key))

    held_out = loss(model, None)
    assert held_out == loss(without, None) == loss(without, jr.key(3))
    assert len({held_out, loss(model, jr.key(3)), loss(model, jr.key(4))}) == 3


# --- parts --------------------------------------------------------------------------------------------------------------------------


def test_squares_folded_and_unfolded_are_the_map():
    image = jr.normal(jr.key(0), (4, 6, 3))
    folded = vaelab_space_to_depth(image)
    assert folded.shape == (2, 3, 12)
    np.testing.assert_array_equal(folded[1, 2].reshape(3, 2, 2), image[2:4, 4:6].transpose(2, 0, 1))
    np.testing.assert_array_equal(depth_to_space(folded), image)
    np.testing.assert_array_equal(depth_to_space(vaelab_space_to_depth(image[:3, :5]))[:3, :5], image[:3, :5])


@pytest.mark.parametrize(("channels", "groups"), [(16, 2), (6, 1)])
def test_group_norm_is_that_of_numpy(channels: int, groups: int):
    image = np.asarray(jr.normal(jr.key(0), (3, 4, channels)) * 3 + 1, float)
    norm = GroupNorm(channels)
    norm = jax.tree.map(lambda leaf: leaf + jnp.arange(float(channels)), norm)
    grouped = image.reshape(3, 4, groups, -1)
    normal = (grouped - grouped.mean((0, 1, 3), keepdims=True)) / np.sqrt(grouped.var((0, 1, 3), keepdims=True) + 1e-5)
    expected = normal.reshape(image.shape) * (1 + np.arange(channels)) + np.arange(channels)
    np.testing.assert_allclose(norm(jnp.asarray(image, jnp.float32)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weight_that_reads_pixels_is_the_first_convolutions(kind: str):
    mask = named_arrays(jax.tree.map(jnp.asarray, weights_on_pixels(model_of(kind, (8, 8)))))
    first = {"convolutional": "encoder.network.down.0.weight", "residual": "encoder.network.first.weight"}[kind]
    assert [name for name, reads in mask.items() if reads] == [first]


@pytest.mark.parametrize("kind", KINDS)
def test_training_begins_at_the_images_mean_colour(kind: str):
    mean = jnp.broadcast_to(jnp.asarray([0.1, 0.5, 0.7]), (9, 8, 3))
    found = mean_image_alone(model_of(kind, (9, 8, 3)), mean).likelihood(jnp.ones(3)).centre
    np.testing.assert_allclose(found, mean, atol=1e-6)


def test_a_summary_counts_the_multiplications_of_convolutions():
    """4 x 4 of stride 2 on 9 x 6: 5 x 3 places; up from 5 x 3 places again. A dense layer sees each weight once."""
    model = model_of("convolutional", (9, 6, 3), channels=[7])
    found = summarise(model)
    assert found.multiplications_of("encoder") == 5 * 3 * 16 * 3 * 7 + 2 * (5 * 3 * 7) * 3
    assert found.multiplications_of("decoder") == 3 * (5 * 3 * 7) + 5 * 3 * 16 * 7 * 3
    assert [(layer.name, layer.output_shape) for layer in found.parts["encoder"]][:2] == [
        ("down.0", (5, 3, 7)),
        ("reshape", (105,)),
    ]
