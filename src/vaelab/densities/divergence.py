"""KL divergences that have a closed form, in one table of pairs."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities.base import AbstractDensity
from vaelab.densities.full_normal import FullNormal
from vaelab.densities.normal import DiagonalNormal
from vaelab.densities.sphere import UniformSphere, VonMisesFisher, log_area
from vaelab.densities.spherical_integrals import log_integral, mean_gap


def _between_normals(q: DiagonalNormal, p: DiagonalNormal) -> Float[Array, " latent"]:
    """1/2 [ log v_p - log v_q + (v_q + (m_q - m_p)^2) / v_p - 1 ], for each dimension.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B, for p = N(0, I).
    """
    log_ratio = q.log_variance - p.log_variance
    square = (q.mean - p.mean) ** 2 * jnp.exp(-p.log_variance)
    return 0.5 * (jnp.exp(log_ratio) + square - 1.0 - log_ratio)


def _from_full_normal(q: FullNormal, p: DiagonalNormal) -> Float[Array, " latent"]:
    """1/2 [ log v_i - 2 log L_ii + (sum_j L_ij^2 + (m_q,i - m_p,i)^2) / v_i - 1 ], v the variances of p.

    By the chain rule this is KL(q(z_i | z_<i) || p(z_i)), averaged over z_<i under q: given z_<i, z_i has the variance L_ii^2 and a mean
    whose own variance is sum_j<i L_ij^2. So no entry is negative, and they add up to the KL of the whole.
    """
    log_ratio = 2.0 * jnp.log(jnp.diagonal(q.scale)) - p.log_variance
    square = (jnp.sum(q.scale**2, axis=1) + (q.mean - p.mean) ** 2) * jnp.exp(-p.log_variance)
    return 0.5 * (square - 1.0 - log_ratio)


def _on_the_sphere(q: VonMisesFisher, p: UniformSphere) -> Float[Array, " one"]:
    """E_q[kappa (cos t - 1)] - log C + log area: one number, for the entries of a direction are not apart.

    Davidson et al., "Hyperspherical variational auto-encoders", UAI 2018, eq. 6.
    """
    a, kappa = p.size - 2, q.concentration
    whole = -kappa * mean_gap(kappa, a) - log_integral(kappa, a) - log_area(a + 1) + log_area(p.size)
    return jnp.reshape(whole, (1,))


CLOSED_FORMS: dict[tuple[type[AbstractDensity], type[AbstractDensity]], Callable[[Any, Any], Array]] = {
    (DiagonalNormal, DiagonalNormal): _between_normals,
    (FullNormal, DiagonalNormal): _from_full_normal,
    (VonMisesFisher, UniformSphere): _on_the_sphere,
}
"""KL(q || p) by entry of z, where p factorises over the entries: by the chain rule, each given those before it. One number on a sphere."""


def kl_divergence(q: AbstractDensity, p: AbstractDensity) -> Float[Array, " latent"] | None:
    """KL(q || p) in nats for each entry of z, where it has a closed form; otherwise None."""
    closed_form = CLOSED_FORMS.get((type(q), type(p)))
    return None if closed_form is None else closed_form(q, p)
