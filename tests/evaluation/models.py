"""Models whose answers are known in closed form."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from scipy.stats import multivariate_normal

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.model import Model

SCALE = 0.5


def model_of(
    latent_dim: int,
    likelihood: str = "bernoulli",
    *,
    image_shape: tuple[int, ...] = (4, 4),
    hidden: tuple[int, ...] = (8,),
    strength: float = 3.0,
    log_variance: float = -2.0,
    **changes: object,
) -> Model:
    """A small untrained model whose decoder answers to z by `strength` and whose encoder is about so wide.

    Strong and narrow, the encoder misses most of the posterior; weak and wide, it comes near.
    """
    values = {
        "model.image_shape": list(image_shape),
        "model.latent_dim": latent_dim,
        "model.likelihood.kind": likelihood,
        "model.encoder.hidden": list(hidden),
        "model.decoder.hidden": list(hidden),
    }
    model = build_model(Config().with_values(values | changes).model, jr.key(1))
    head = "logits" if likelihood != "gaussian" else "mean"
    return eqx.tree_at(
        lambda m: (m.encoder.heads["log_variance"].bias, m.decoder.heads[head].weight),
        model,
        (jnp.full(latent_dim, log_variance), strength * model.decoder.heads[head].weight),
    )


def prior_as_encoder(latent_dim: int) -> Model:
    """A Bernoulli model whose q(z|x) is N(0, I) for every image: no closed form, a gap, and weights that are bounded."""
    model = model_of(latent_dim, strength=1.5, log_variance=0.0)
    heads = (model.encoder.heads["mean"].weight, model.encoder.heads["log_variance"].weight)
    return eqx.tree_at(
        lambda m: (m.encoder.heads["mean"].weight, m.encoder.heads["log_variance"].weight),
        model,
        tuple(0.0 * head for head in heads),
    )


def linear_gaussian(
    latent_dim: int, pixels: int = 6, *, widened: float = 1.0, scale: float = SCALE, shifted: float = 0.0
) -> tuple[Model, multivariate_normal]:
    """Probabilistic PCA (Tipping and Bishop 1999): x = W^T z + b + noise, with its exact posterior as encoder, and its marginal.

    p(x) = N(b, W^T W + s^2 I), with s the `scale`. The rows of W are orthogonal, so the exact posterior is diagonal. `widened` multiplies
    the encoder's sigma and `shifted` is added to its mean, which leave p(x) as it is and open an inference gap.
    """
    generator = np.random.default_rng(latent_dim)
    orthogonal, _ = np.linalg.qr(generator.normal(size=(pixels, pixels)))
    weight = orthogonal[:latent_dim] * np.linspace(1.5, 0.7, latent_dim)[:, None]
    bias = generator.normal(size=pixels)
    model = model_of(latent_dim, "gaussian", image_shape=(pixels,), hidden=(), **{"model.likelihood.scale": scale})
    precision = 1.0 + (weight**2).sum(axis=1) / scale**2
    to_mean = (weight / scale**2 / precision[:, None]).T
    arrays = (
        weight,
        bias,
        to_mean,
        shifted - bias @ to_mean,
        np.zeros((pixels, latent_dim)),
        np.log(widened**2 / precision),
    )
    model = eqx.tree_at(
        lambda m: (
            m.decoder.heads["mean"].weight,
            m.decoder.heads["mean"].bias,
            m.encoder.heads["mean"].weight,
            m.encoder.heads["mean"].bias,
            m.encoder.heads["log_variance"].weight,
            m.encoder.heads["log_variance"].bias,
        ),
        model,
        tuple(jnp.asarray(array, jnp.float32) for array in arrays),
    )
    return model, multivariate_normal(bias, weight.T @ weight + scale**2 * np.eye(pixels))


def folded_gaussian(latent_dim: int, *, scale: float, pixels: int = 6) -> tuple[Model, multivariate_normal]:
    """x = W^T |z| + b + noise, by two ReLUs a dimension: p(z|x) has 2^d modes, mirror images of each other. Its unfolded marginal.

    With m and v the unfolded posterior's mean and variance, p(x) = N(x; b, W^T W + s^2 I) prod_j 2 Phi(m_j / sqrt(v_j)).
    """
    model, marginal = linear_gaussian(latent_dim, pixels, scale=scale)
    values = {"model.image_shape": [pixels], "model.latent_dim": latent_dim, "model.likelihood.kind": "gaussian",
              "model.likelihood.scale": scale, "model.encoder.hidden": [], "model.decoder.hidden": [2 * latent_dim]}  # fmt: skip
    folded = build_model(Config().with_values(values).model, jr.key(0))
    eye, weight = np.eye(latent_dim), np.asarray(model.decoder.heads["mean"].weight)
    arrays = (np.concatenate([eye, -eye], axis=1), np.concatenate([weight, weight]), model.decoder.heads["mean"].bias)
    decoder = eqx.tree_at(
        lambda d: (d.network.layers[0].weight, d.heads["mean"].weight, d.heads["mean"].bias),
        folded.decoder,
        tuple(jnp.asarray(array, jnp.float32) for array in arrays),
    )
    return eqx.tree_at(lambda m: m.decoder, model, decoder), marginal


def images_of(model: Model, count: int, seed: int = 0) -> np.ndarray:
    """Binary images of the model's shape."""
    generator = np.random.default_rng(seed)
    return (generator.random((count, *model.image_shape)) < generator.random((1, *model.image_shape))).astype(
        np.float32
    )
