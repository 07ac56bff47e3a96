"""THE encode: q(z|x) of many images, their densities stacked along a leading axis."""

from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Shaped, UInt32

from vaelab.batching import features_of, in_batches
from vaelab.densities import (
    AbstractCentredDensity,
    AbstractDensity,
    DiagonalNormal,
    kl_divergence,
    of_each,
    own_and_shared,
    rows_of,
    stack_of,
    stack_size,
)
from vaelab.labels import labels_given
from vaelab.model import Model
from vaelab.pixels import scaled

MOMENT_DRAWS = 64
"""Draws that tell the variance of a posterior which has no closed form for it."""


@dataclass(frozen=True)
class Codes:
    """q(z|x) of n images. `densities` has NumPy arrays, with a leading axis of n but where all share one (`densities/stacks.py`)."""

    densities: AbstractCentredDensity

    @property
    def has_density(self) -> bool:
        """False for an autoencoder's, each of which is one point."""
        return self.densities.has_density

    @property
    def is_diagonal(self) -> bool:
        """Whether each is a Gaussian of independent entries: what quadrature over q(z|x) asks for."""
        return isinstance(self.densities, DiagonalNormal)

    @cached_property
    def centres(self) -> Float32[np.ndarray, "n latent"]:
        """The code of each image."""
        found = self.densities.mean if isinstance(self.densities, DiagonalNormal) else _centres(self.densities)
        return np.asarray(found, np.float32)

    @cached_property
    def log_variances(self) -> Float32[np.ndarray, "n latent"] | None:
        """Of each entry; None for an autoencoder's. Where there is no closed form, of 64 draws from each."""
        if not self.has_density:
            return None
        if isinstance(self.densities, DiagonalNormal):
            return np.asarray(self.densities.log_variance, np.float32)
        return np.asarray(_log_variances(self.densities), np.float32)

    def draws(self, key: Array) -> Float[np.ndarray, "n latent"]:
        """One draw from each; draw i depends on the key and on i."""
        return np.asarray(_draws(self.densities, jnp.arange(len(self), dtype=jnp.uint32), key))

    def log_probs(self, z: Float[np.ndarray, "n latent"]) -> Float[np.ndarray, " n"]:
        """log q(z_i|x_i) in nats, each point under its own image's."""
        return np.asarray(_own_log_probs(self.densities, jnp.asarray(z)))

    def first(self, count: int) -> "Codes":
        """Those of the first images alone."""
        return self if len(self) <= count else Codes(rows_of(self.densities, slice(count)))

    def divergences(self, prior: AbstractDensity) -> Float[np.ndarray, "n latent"] | None:
        """KL(q(z|x) || p(z)) in nats, by entry of z, where it has a closed form."""
        found = of_each(lambda density: kl_divergence(density, prior), jax.tree.map(jnp.asarray, self.densities))
        return None if found is None else np.asarray(found)

    def __len__(self) -> int:
        return stack_size(self.densities)


def codes_of(
    model: Model, images: Shaped[np.ndarray, "n ..."], labels: Int[np.ndarray, " labels"] | int | None = None
) -> Codes:
    """q(z|x) of each image, for images that were checked: uint8, or floats as the model sees them.

    Of a conditional model q(z|x, y), given the image's label; any other looks away from `labels`.

    Raises:
        VaelabError: for a conditional model without labels, or with one that it was not trained with.
    """
    given = labels_given(model, labels, len(images))
    shared = None

    def own_of(*rows: np.ndarray) -> AbstractCentredDensity:
        nonlocal shared  # the same after every batch
        own, shared = own_and_shared(_posteriors(model, *rows))
        return own

    own = in_batches(own_of, images, *given, features=features_of(model.image_shape))
    return Codes(eqx.combine(own, jax.tree.map(np.asarray, shared)))


def has_diagonal_posterior(model: Model) -> bool:
    """Whether q(z|x) is a Gaussian of independent entries, told without an image."""
    image = jax.ShapeDtypeStruct(model.image_shape, jnp.float32)
    return isinstance(eqx.filter_eval_shape(model.of_any_label().posterior, image), DiagonalNormal)


@jax.jit
def _posteriors(
    model: Model, images: Shaped[Array | np.ndarray, "n ..."], labels: Int[Array | np.ndarray, " n"] | None = None
) -> AbstractCentredDensity:
    return stack_of(lambda image, label: model.posterior(image, condition=label), scaled(jnp.asarray(images)), labels)


@jax.jit
def _centres(densities: AbstractCentredDensity) -> Float[Array, "n latent"]:
    return of_each(lambda density: density.centre, densities)


@jax.jit
def _log_variances(densities: AbstractCentredDensity) -> Float[Array, "n latent"]:
    def one(density: AbstractCentredDensity) -> Float[Array, " latent"]:
        known = density.marginal_log_variance
        if known is not None:
            return known
        drawn = jax.vmap(density.sample)(jr.split(jr.key(0), MOMENT_DRAWS))
        return jnp.log(jnp.maximum(drawn.var(axis=0), 1e-12))

    return of_each(one, densities)


@jax.jit
def _draws(densities: AbstractCentredDensity, places: UInt32[Array, " n"], key: Array) -> Float[Array, "n latent"]:
    return of_each(lambda density, place: density.sample(jr.fold_in(key, place)), densities, places)


@jax.jit
def _own_log_probs(densities: AbstractCentredDensity, z: Float[Array, "n latent"]) -> Float[Array, " n"]:
    return of_each(lambda density, point: density.log_prob(point), densities, z)
