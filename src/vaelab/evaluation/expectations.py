"""Expectations under q(z|x): E_q[log p(x|z)] and E_q[log p(z)], image by image, in one and two dimensions.

By Gauss and Hermite's nodes of q(z|x) itself, at two orders that must agree; where they do not, on a lattice over q(z|x), whose sums
over every second of its points must agree. So the cost does not depend on how narrow q(z|x) is, and no density is lost.
"""

import dataclasses
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from vaelab.batching import in_batches
from vaelab.densities import AbstractDensity
from vaelab.evaluation.image_log_probs import log_probs_of_image
from vaelab.evaluation.mixture_log_probs import prior_log_probs
from vaelab.model import Model
from vaelab.pixels import scaled

ORDERS = (4, 7)
"""Nodes along an axis: 65 decoded points an image in two dimensions, of which the centre is one."""
LATTICES = ((0.5, 25), (0.25, 49))
"""Spacing in sigmas of q(z|x), and points along an axis (to six sigmas), of the lattices for images whose two orders differ: at most 3,026
points more."""
HALF_SQUARES = 0.5
"""The error of a lattice beside its distance from its white or its black squares: where ReLUs bend the integrand, errors fall with the
square of the spacing, and that of the squares is the square root of two times as wide."""
ROUNDING = 4e-7
"""Of log p(x|z): what its sum over the pixels may be off by in single precision, beyond which no two sums can agree."""
ROWS = 512
VALUES = 2**22
"""Pixels decoded side by side."""


@dataclasses.dataclass(frozen=True)
class Expectations:
    """For each image, in nats: E_q[log p(x|z)], E_q[log p(z)], and how far the last two sums lie apart, of both together."""

    reconstruction: Float[np.ndarray, " images"]
    log_prior: Float[np.ndarray, " images"]
    error: Float[np.ndarray, " images"]


def log_joint_at(
    model: Model, prior: AbstractDensity, images: Num[np.ndarray, "images ..."], z: Float[np.ndarray, "images latent"]
) -> Float[np.ndarray, " images"]:
    """log p(x, z) of each image at a point of its own."""
    latent = model.latent_dim
    one_node = np.zeros((1, latent)), np.ones((1, 1))
    return _at_nodes(model, prior, images, z, np.zeros_like(z), *one_node, lambda done, total: None).sum(axis=2)[:, 0]


def posterior_expectations(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    mean: Float[np.ndarray, "images latent"],
    log_variance: Float[np.ndarray, "images latent"],
    *,
    tolerance: float = 0.01,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Expectations:
    """The expectations under N(mean, exp(log_variance)) for each image (as the model sees it; uint8 is scaled).

    **Arguments:** `tolerance`: nats that two sums of an image may differ before a finer one is taken.
    """
    latent, count = model.latent_dim, len(images)
    found = Expectations(*(np.full(count, np.nan) for _ in range(3)))
    active = np.arange(count)
    for number, (nodes, rules) in enumerate(_rules(latent)):
        some = images[active], mean[active], log_variance[active]
        sums = _at_nodes(model, prior, *some, nodes, rules, on_progress)  # (images, rules, 2)
        found.reconstruction[active], found.log_prior[active] = sums[:, 0, 0], sums[:, 0, 1]
        share = 1.0 if number == 0 else HALF_SQUARES  # of two orders, the difference itself
        apart = share * np.abs(sums[:, 1:] - sums[:, :1]).sum(axis=2).max(axis=1)
        found.error[active] = apart
        # a sum in single precision is no better than its rounding
        allowed = np.maximum(tolerance, ROUNDING * np.abs(sums[:, 0]).max(axis=1))
        active = active[~(apart < allowed)]
        if len(active) == 0:
            break
    return found


def _rules(latent: int) -> list[tuple[Float[np.ndarray, "nodes latent"], Float[np.ndarray, "rules nodes"]]]:
    """Nodes in standard units, and the weights of the rules that use them: the best rule first, then those that it is checked by."""
    pairs = [_tensor(*_gauss_hermite(order), latent) for order in reversed(ORDERS)]
    nodes = np.concatenate([places for places, _ in pairs])
    weights = np.zeros((2, len(nodes)))
    weights[0, : len(pairs[0][0])], weights[1, len(pairs[0][0]) :] = pairs[0][1], pairs[1][1]
    return [(nodes, weights), *(_lattice(spacing, points, latent) for spacing, points in LATTICES)]


def _gauss_hermite(order: int) -> tuple[np.ndarray, np.ndarray]:
    """For the weight exp(-u^2 / 2) / sqrt(2 pi)."""
    places, weights = np.polynomial.hermite_e.hermegauss(order)
    return places, weights / weights.sum()


def _lattice(spacing: float, points: int, latent: int) -> tuple[np.ndarray, np.ndarray]:
    places = spacing * (np.arange(points) - points // 2)
    density = np.exp(-0.5 * places**2)
    nodes, weights = _tensor(places, density, latent)
    # its white and its black squares are each a lattice too
    white = np.indices((points,) * latent).sum(axis=0).ravel() % 2 == 0
    rules = [weights, np.where(white, weights, 0.0), np.where(white, 0.0, weights)]
    return nodes, np.stack([rule / rule.sum() for rule in rules])


def _tensor(places: np.ndarray, weights: np.ndarray, latent: int) -> tuple[np.ndarray, np.ndarray]:
    nodes = np.stack(np.meshgrid(*[places] * latent, indexing="ij"), axis=-1).reshape(-1, latent)
    return nodes, np.prod(np.stack(np.meshgrid(*[weights] * latent, indexing="ij")), axis=0).ravel()


def _at_nodes(
    model: Model,
    prior: AbstractDensity,
    images: np.ndarray,
    mean: np.ndarray,
    log_variance: np.ndarray,
    nodes: np.ndarray,
    rules: np.ndarray,
    on_progress: Callable[[int, int], None],
) -> Float[np.ndarray, "images rules two"]:
    count, pixels = len(images), math.prod(model.image_shape)
    together = max(1, min(ROWS, VALUES // (pixels * len(nodes)), count))
    groups = max(1, min(8, math.ceil(count / together)))
    units, weights = jnp.asarray(nodes, jnp.float32), jnp.asarray(rules, jnp.float32)
    sums = in_batches(
        lambda some, mean, log_variance: _node_sums(model, prior, some, mean, log_variance, units, weights),
        images,
        mean.astype(np.float32),
        log_variance.astype(np.float32),
        rows=together,
        groups=groups,
        on_progress=on_progress,
    )
    return sums.astype(np.float64)


@eqx.filter_jit
def _node_sums(
    model: Model,
    prior: AbstractDensity,
    images: Num[Array, "groups together ..."],
    mean: Float[Array, "groups together latent"],
    log_variance: Float[Array, "groups together latent"],
    nodes: Float[Array, "nodes latent"],
    rules: Float[Array, "rules nodes"],
) -> Float[Array, "groups together rules two"]:
    def one(image: Array, mean: Array, log_variance: Array) -> Float[Array, "rules two"]:
        z = mean[None] + jnp.exp(0.5 * log_variance)[None] * nodes
        values = jnp.stack([log_probs_of_image(model, image, z), prior_log_probs(prior, z)], axis=1)  # (nodes, 2)
        # about the value near the middle, so that little is lost where values are large
        middle = values[jnp.argmax(rules[0])][None]
        return middle + rules @ (values - middle)

    return jax.lax.map(lambda group: jax.vmap(one)(scaled(group[0]), *group[1:]), (images, mean, log_variance))
