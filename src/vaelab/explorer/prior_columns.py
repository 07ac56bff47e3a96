"""A prior as columns that the page can compute with: a mixture of Gaussians where it is one, a grid of log p(z) where it is not."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaelab.densities import AbstractDensity, DiagonalNormal, FullNormal, Mixture
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.generating.sampling import sample_latents
from vaelab.kinds import PRIORS
from vaelab.model import Model
from vaelab.priors.by_label import DensityByLabel

DRAWS = 1024
"""Draws from each prior that go to the page."""

COMPONENTS = 4096
"""A mixture of more components than this is not computed in the page."""

GRID = 128

FIELD_MARGIN = 1.3
"""A grid of log p(z) reaches so much farther than the images' means and the prior's draws: until the density is not seen any more."""


def prior_columns(model: Model, reach: float) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The manifest's entry of a model's prior, and its columns.

    `reach`: how far from 0 the images lie; a grid of log p(z) covers a square that holds them and the draws.
    """
    density = model.prior_density()
    entry: dict[str, Any] = {"kind": PRIORS.name_of(model.prior), "mixture": False, "diagonal": True, "field": None}
    columns = {"draws": np.asarray(sample_latents(model, DRAWS, seed=0), np.float32)}
    gaussians = gaussians_of(density)
    if gaussians is not None and len(gaussians[0]) <= COMPONENTS:
        log_weights, means, factors = gaussians
        entry |= {"mixture": True, "diagonal": factors.ndim == 2}
        columns |= {"log_weights": log_weights, "means": means, "factors": factors}
    elif model.latent_dim <= 2 and model.prior.scoring != "bound":
        reach = FIELD_MARGIN * max(reach, float(np.abs(columns["draws"]).max()))
        entry |= {"field": [-reach, reach, -reach, reach], "field_shape": [GRID, GRID]}
        columns["field"] = field_of(density, model.latent_dim, reach)
    return entry, columns


def gaussians_of(
    density: AbstractDensity,
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k latent"], Float[np.ndarray, "k ..."]] | None:
    """Log-weights, means, and standard deviations (k, latent) or lower Cholesky factors (k, latent, latent); None for no mixture."""
    if isinstance(density, DiagonalNormal):
        return _numbers(jnp.zeros(1), density.mean[None], density.standard_deviation[None])
    if isinstance(density, FullNormal):
        return _numbers(jnp.zeros(1), density.mean[None], density.scale[None])
    if isinstance(density, Mixture) and isinstance(density.components, DiagonalNormal):
        return _numbers(density.log_weights, density.components.mean, density.components.standard_deviation)
    if isinstance(density, Mixture) and isinstance(density.components, FullNormal):
        return _numbers(density.log_weights, density.components.mean, density.components.scale)
    inner = getattr(density, "mixture", None)  # a class prior's density wraps its mixture over labels
    if isinstance(inner, AbstractDensity):
        return gaussians_of(inner)
    if isinstance(density, DensityByLabel):
        return _joined(density)
    return None


def _joined(density: DensityByLabel) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    parts = []
    for log_frequency, one in zip(np.asarray(density.log_frequencies), density.densities, strict=True):
        gaussians = gaussians_of(one)
        if gaussians is None:
            return None
        if np.isfinite(log_frequency):
            log_weights, means, factors = gaussians
            full = factors if factors.ndim == 3 else np.stack([np.diag(row) for row in factors])
            parts.append((log_weights + log_frequency, means, full))
    log_weights, means, factors = (np.concatenate([part[place] for part in parts]) for place in range(3))
    return log_weights.astype(np.float32), means, factors


def _numbers(*arrays: Any) -> Any:
    return tuple(np.asarray(array, np.float32) for array in arrays)


def field_of(density: AbstractDensity, latent_dim: int, reach: float) -> Float[np.ndarray, "rows columns"]:
    """log p(z) at the centres of the cells of a square grid about 0, the first row lowest; one row, repeated, for one dimension."""
    axis = ((np.arange(GRID) + 0.5) / GRID * 2.0 - 1.0) * reach
    if latent_dim == 1:
        return np.tile(log_probs(density, axis[:, None].astype(np.float32)), (GRID, 1)).astype(np.float32)
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    return np.maximum(log_probs(density, points), -80.0).reshape(GRID, GRID).astype(np.float32)
