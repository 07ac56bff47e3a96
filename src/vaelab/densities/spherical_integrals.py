"""The angle between a direction and a draw of a von Mises-Fisher density around it: integrals over it, and draws of it.

On the unit sphere of n = a + 2 numbers the angle t has the density f(t) / Z, f(t) = exp(-kappa (1 - cos t)) sin(t)^a on [0, pi]. With
I_v the modified Bessel function of the first kind, v = a / 2,

    Z(kappa) = exp(-kappa) sqrt(pi) Gamma(v + 1/2) (2 / kappa)^v I_v(kappa)      (DLMF 10.32.2)

All that is asked is a sum over one grid of 128 panels, which reaches from 8 standard deviations below the angle where f is highest to
10 above, within [0, pi]: f has one peak, whose log has the second derivative -sqrt(a^2 + 4 kappa^2). The sums are trapezoids with Euler
and Maclaurin's first correction in every panel, good to about 1e-6, and nothing over- or underflows, whatever kappa and n. Derivatives
by kappa are integrals too: d log Z = -E[1 - cos t], d E[1 - cos t] = -Var[cos t].

An angle is drawn by inverting its distribution function, F(t) = u for a uniform u, so a draw costs the same whatever it is, and moves
smoothly with kappa: dt/dkappa = -(dF/dkappa) / f (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", NeurIPS 2018,
eq. 6). Rejection, which S-VAE uses (Wood, "Simulation of the von Mises Fisher distribution", 1994), takes a number of proposals that is
not known beforehand, and its gradient needs a second term of high variance.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities.roots import rising_root

PANELS = 128
BELOW, ABOVE = 8.0, 10.0
"""Standard deviations of the peak that the grid reaches below it and above it."""


class _Grid(NamedTuple):
    nodes: Float[Array, " nodes"]
    f: Float[Array, " nodes"]  # relative to its highest value
    slope: Float[Array, " nodes"]
    step: Float[Array, ""]
    log_highest: Float[Array, ""]


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def log_integral(kappa: Float[Array, ""], a: int) -> Float[Array, ""]:
    """Log Z(kappa)."""
    grid = _grid(kappa, a)
    return grid.log_highest + jnp.log(_panels(grid, grid.f, grid.slope).sum())


@log_integral.defjvp
def _log_integral_jvp(a: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (kappa,), (tangent,) = primals, tangents
    return log_integral(kappa, a), -mean_gap(kappa, a) * tangent


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def mean_gap(kappa: Float[Array, ""], a: int) -> Float[Array, ""]:
    """E[1 - cos t]: 1 - I_v+1(kappa) / I_v(kappa)."""
    return _moments(_grid(kappa, a))[0]


@mean_gap.defjvp
def _mean_gap_jvp(a: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (kappa,), (tangent,) = primals, tangents
    return mean_gap(kappa, a), -variance_of_cosine(kappa, a) * tangent


def variance_of_cosine(kappa: Float[Array, ""], a: int) -> Float[Array, ""]:
    """Var[cos t]; without a gradient of its own."""
    return _moments(_grid(jax.lax.stop_gradient(kappa), a))[1]


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def angle_at(share: Float[Array, ""], kappa: Float[Array, ""], a: int) -> Float[Array, ""]:
    """The angle t below which lies so much of the mass: F(t) = share."""
    grid = _grid(kappa, a)
    panels = _panels(grid, grid.f, grid.slope)
    reached = jnp.concatenate([jnp.zeros(1), jnp.cumsum(panels)])
    wanted = share * reached[-1]
    panel = jnp.clip(jnp.searchsorted(reached, wanted, side="right") - 1, 0, PANELS - 1)
    start = grid.nodes[panel]

    def beyond(delta: Array) -> Array:
        f, slope = _f_and_slope(start + delta, kappa, a, grid.log_highest)
        return reached[panel] + _panel(delta, grid.f[panel], f, grid.slope[panel], slope) - wanted

    return start + rising_root(beyond, jnp.zeros(()), grid.step)


@angle_at.defjvp
def _angle_at_jvp(a: int, primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (share, kappa), (share_tangent, tangent) = primals, tangents
    angle = angle_at(share, kappa, a)
    grid = _grid(kappa, a)
    total = _panels(grid, grid.f, grid.slope).sum()
    gap = _moments(grid)[0]

    def moved(t: Array, f: Array, slope: Array) -> tuple[Array, Array]:
        """The derivative of f / Z by kappa, times Z, and its own slope."""
        away = gap - _one_minus_cos(t)
        return f * away, slope * away - f * jnp.sin(t)

    each = _panels(grid, *moved(grid.nodes, grid.f, grid.slope))
    panel = jnp.clip(jnp.floor((angle - grid.nodes[0]) / grid.step).astype(jnp.int32), 0, PANELS - 1)
    start = grid.nodes[panel]
    f, slope = _f_and_slope(angle, kappa, a, grid.log_highest)
    first, first_slope = moved(start, grid.f[panel], grid.slope[panel])
    last, last_slope = moved(angle, f, slope)
    within = _panel(angle - start, first, last, first_slope, last_slope)
    # from the nearer end: the whole integral is 0, and in a tail all that is left must not be a difference of large sums
    places = jnp.arange(PANELS)
    from_below = jnp.sum(jnp.where(places < panel, each, 0.0)) + within
    from_above = within - jnp.sum(jnp.where(places >= panel, each, 0.0))
    by_kappa = jnp.where(share < 0.5, from_below, from_above)
    density = jnp.maximum(f, 1e-30)
    return angle, (total * share_tangent - by_kappa * tangent) / density


def _grid(kappa: Float[Array, ""], a: int) -> _Grid:
    curvature = jnp.sqrt(a * a + 4.0 * kappa**2)
    # cos and sin of the angle of the peak, kappa sin^2 = a cos
    peak = jnp.arctan2(
        jnp.sqrt(2.0 * a / (curvature + a)) if a else jnp.zeros(()), 2.0 * kappa / (curvature + a + 1e-30)
    )
    peak = jnp.where(kappa > 0.0, peak, 0.5 * jnp.pi if a else 0.0)
    spread = 1.0 / jnp.sqrt(jnp.maximum(curvature, 1e-6))
    low, high = jnp.maximum(peak - BELOW * spread, 0.0), jnp.minimum(peak + ABOVE * spread, jnp.pi)
    nodes = low + (high - low) * jnp.linspace(0.0, 1.0, PANELS + 1)
    log_highest = -kappa * _one_minus_cos(peak) + (a * jnp.log(jnp.sin(peak)) if a else 0.0)
    return _Grid(nodes, *_f_and_slope(nodes, kappa, a, log_highest), (high - low) / PANELS, log_highest)


def _f_and_slope(
    t: Float[Array, "*nodes"], kappa: Float[Array, ""], a: int, log_highest: Float[Array, ""]
) -> tuple[Float[Array, "*nodes"], Float[Array, "*nodes"]]:
    """f and df/dt, both over the highest f."""
    sine, log_weight = jnp.maximum(jnp.sin(t), 0.0), -kappa * _one_minus_cos(t) - log_highest
    if a == 0:
        f = jnp.exp(log_weight)
        return f, -kappa * sine * f
    # sin^(a - 1), so that at the ends the slope is no 0 times infinity
    rest = jnp.exp(log_weight + ((a - 1) * jnp.log(sine) if a > 1 else 0.0))
    return rest * sine, rest * (a * jnp.cos(t) - kappa * sine**2)


def _one_minus_cos(t: Float[Array, "*nodes"]) -> Float[Array, "*nodes"]:
    return 2.0 * jnp.sin(0.5 * t) ** 2


def _panel(width: Array, first: Array, last: Array, first_slope: Array, last_slope: Array) -> Array:
    """The integral over a panel by its ends: h / 2 (f_0 + f_1) + h^2 / 12 (f'_0 - f'_1)."""
    return 0.5 * width * (first + last) + width**2 / 12.0 * (first_slope - last_slope)


def _panels(grid: _Grid, f: Float[Array, " nodes"], slope: Float[Array, " nodes"]) -> Float[Array, " panels"]:
    return _panel(grid.step, f[:-1], f[1:], slope[:-1], slope[1:])


def _moments(grid: _Grid) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """E[1 - cos t] and Var[cos t]."""
    gap, sine = _one_minus_cos(grid.nodes), jnp.sin(grid.nodes)
    total = _panels(grid, grid.f, grid.slope).sum()
    mean = _panels(grid, grid.f * gap, grid.slope * gap + grid.f * sine).sum() / total
    away = gap - mean
    square = _panels(grid, grid.f * away**2, grid.slope * away**2 + 2.0 * grid.f * away * sine).sum() / total
    return mean, square
