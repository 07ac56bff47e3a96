"""A regularised autoencoder."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.model import Model
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn, with_terms
from vaelab.objectives.settings import RegularisedSettings


class Regularised(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL + code E_q[norm(z)^2 / 2] + weight R, with R what keeps the decoder smooth.

    Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020, eqs. 8 to 11, where q(z|x) is a point and there is no KL;
    a prior is fitted to the codes afterwards. R is one of

    - `l2`: the squares of the decoder's weights, its biases left out
    - `gradient`: the squared Frobenius norm of the Jacobian of the picture by z, averaged over the batch; without bias by one random
      direction an image, E[norm(J v)^2] with v ~ N(0, I) (Hutchinson, "A stochastic estimator of the trace", 1989)
    - `spectral`: the square of each weight's largest singular value, by one step of power iteration a training step. It is the penalty of
      Yoshida and Miyato, "Spectral norm regularization", 2017; Ghosh et al. divide weights by that value instead
    """

    code: float = eqx.field(static=True)
    penalty: str = eqx.field(static=True)
    weight: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: RegularisedSettings) -> "Regularised":
        return cls(settings.code, settings.penalty, settings.weight)

    def start(self, model: Model, *, key: PRNGKeyArray) -> PyTree:
        """For each weight, the direction of its outputs that the power iteration has found."""
        if self.penalty != "spectral":
            return None
        return tuple(
            jr.normal(jr.fold_in(key, place), (weight.shape[1],)) for place, weight in enumerate(matrices(model))
        )

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model = players[MODEL]
        found = drawn(model, batch, keys)
        if self.penalty == "spectral":
            penalty, state = _spectral(matrices(model), state)
        elif self.penalty == "gradient":
            penalty = jnp.mean(
                jax.vmap(lambda z, label, key: squared_jacobian(model, z, label, jr.fold_in(key, 2)))(
                    found.z, batch.labels, keys
                )
            )
        else:
            penalty = sum((jnp.sum(weight**2) for weight in matrices(model)), jnp.zeros(()))
        size = 0.5 * jnp.mean(jnp.sum(found.z**2, axis=1))
        return with_terms(found, beta, {"code": (self.code, size), "penalty": (self.weight, penalty)}, state)


def matrices(model: Model) -> list[Float[Array, "_ _"]]:
    """The decoder's weights, each as a matrix to its outputs; of a convolution what one place of its output reads."""
    leaves = [leaf for leaf in jax.tree.leaves(model.decoder) if eqx.is_inexact_array(leaf)]
    return [leaf.reshape(-1, leaf.shape[-1]) for leaf in leaves if leaf.ndim >= 2]


def squared_jacobian(
    model: Model, z: Float[Array, " latent"], label: Array | None, key: PRNGKeyArray
) -> Float[Array, ""]:
    """norm(J v)^2 for one direction v ~ N(0, I), J the Jacobian of the picture by z: without bias norm(J)^2."""

    def picture(z: Array) -> Array:
        return model.likelihood(z, label).centre

    _, moved = jax.jvp(picture, (z,), (jr.normal(key, z.shape, z.dtype),))
    return jnp.sum(moved**2)


def _spectral(
    weights: list[Float[Array, "_ _"]], directions: tuple[Float[Array, " _"], ...]
) -> tuple[Float[Array, ""], tuple[Float[Array, " _"], ...]]:
    """The sum of squared largest singular values, and the directions one step of power iteration nearer to theirs."""
    total, found = jnp.zeros(()), []
    for weight, direction in zip(weights, directions, strict=True):
        held = jax.lax.stop_gradient(weight)
        left = _unit(held @ direction)
        right = _unit(left @ held)
        total = total + jnp.dot(left, weight @ right) ** 2
        found.append(right)
    return total, tuple(found)


def _unit(vector: Float[Array, " n"]) -> Float[Array, " n"]:
    return vector / jnp.maximum(jnp.linalg.norm(vector), 1e-12)
