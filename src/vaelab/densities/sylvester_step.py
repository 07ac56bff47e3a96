"""The Sylvester step."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities.roots import rising_root
from vaelab.densities.transformed import AbstractStep


class SylvesterStep(AbstractStep):
    """f(z) = z + Q R tanh(S Q^T z + b), Q a product of Householder reflections, R and S upper triangular, -1 < R_ii S_ii < 1.

    van den Berg, Hasenclever, Tomczak and Welling, "Sylvester normalizing flows for variational inference", UAI 2018, eqs. 6 to 10 and
    section 4.2, with as many columns of Q as z has entries. log det = sum_i log(1 + R_ii S_ii (1 - tanh^2(.)_i)).

    In the coordinates v = Q^T z the map v + R tanh(S v + b) is triangular: its last entry is a rising function of v_n alone, the one before
    it of v_n-1 given v_n, and so on up. So the inverse is one scalar root an entry, from the last to the first.
    """

    reflections: Float[Array, "reflections dim"]
    r: Float[Array, "dim dim"]
    s: Float[Array, "dim dim"]
    b: Float[Array, " dim"]

    def forward(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        bent = jnp.tanh(self.s @ self._turned_back(z) + self.b)
        slopes = jnp.diagonal(self.r) * jnp.diagonal(self.s) * (1.0 - bent**2)
        return z + self._turned(self.r @ bent), jnp.sum(jnp.log1p(slopes))

    def inverse(self, value: Float[Array, " dim"]) -> Float[Array, " dim"]:
        wanted = self._turned_back(value)
        v = _triangular_root(*jax.lax.stop_gradient((self.r, self.s, self.b, wanted)))
        # one step of Newton's: its gradient is that of the root
        bent = jnp.tanh(self.s @ v + self.b)
        still = jax.lax.stop_gradient(bent)
        jacobian = jnp.eye(v.shape[0]) + jax.lax.stop_gradient(self.r) @ (
            (1.0 - still**2)[:, None] * jax.lax.stop_gradient(self.s)
        )
        v = v - jax.scipy.linalg.solve_triangular(jacobian, v + self.r @ bent - wanted, lower=False)
        return self._turned(v)

    def _units(self) -> Float[Array, "reflections dim"]:
        square = jnp.sum(self.reflections**2, axis=1, keepdims=True)
        return self.reflections * jax.lax.rsqrt(jnp.maximum(square, 1e-12))

    def _turned(self, v: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """Q v."""
        for unit in self._units():
            v = v - 2.0 * (unit @ v) * unit
        return v

    def _turned_back(self, z: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """Q^T z: the same reflections, the last first."""
        for unit in self._units()[::-1]:
            z = z - 2.0 * (unit @ z) * unit
        return z


def _triangular_root(
    r: Float[Array, "dim dim"], s: Float[Array, "dim dim"], b: Float[Array, " dim"], wanted: Float[Array, " dim"]
) -> Float[Array, " dim"]:
    """The v with v + R tanh(S v + b) = wanted, from its last entry to its first."""
    size = wanted.shape[0]

    def one(place: Any, found: tuple[Array, Array]) -> tuple[Array, Array]:
        v, bent = found  # 0 where it is not known yet
        row = size - 1 - place
        inside, left = s[row] @ v + b[row], wanted[row] - r[row] @ bent
        outer, inner = r[row, row], s[row, row]
        root = rising_root(
            lambda a: a + outer * jnp.tanh(inner * a + inside) - left, left - jnp.abs(outer), left + jnp.abs(outer)
        )
        return v.at[row].set(root), bent.at[row].set(jnp.tanh(inner * root + inside))

    return jax.lax.fori_loop(0, size, one, (jnp.zeros_like(wanted), jnp.zeros_like(wanted)))[0]
