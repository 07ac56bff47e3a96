"""KL divergences that have a closed form, in one table of pairs."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities.base import AbstractDensity
from vaelab.densities.normal import DiagonalNormal


def _between_normals(q: DiagonalNormal, p: DiagonalNormal) -> Float[Array, " latent"]:
    """1/2 [ log v_p - log v_q + (v_q + (m_q - m_p)^2) / v_p - 1 ], for each dimension.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B, for p = N(0, I).
    """
    log_ratio = q.log_variance - p.log_variance
    square = (q.mean - p.mean) ** 2 * jnp.exp(-p.log_variance)
    return 0.5 * (jnp.exp(log_ratio) + square - 1.0 - log_ratio)


CLOSED_FORMS: dict[tuple[type[AbstractDensity], type[AbstractDensity]], Callable[[Any, Any], Array]] = {
    (DiagonalNormal, DiagonalNormal): _between_normals,
}
"""KL(q || p) by entry of z, for pairs of densities that both factorise over the entries."""


def kl_divergence(q: AbstractDensity, p: AbstractDensity) -> Float[Array, " latent"] | None:
    """KL(q || p) in nats for each entry of z, where it has a closed form and both factorise; otherwise None."""
    closed_form = CLOSED_FORMS.get((type(q), type(p)))
    return None if closed_form is None else closed_form(q, p)
