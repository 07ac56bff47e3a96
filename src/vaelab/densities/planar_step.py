"""The planar step."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.densities.roots import rising_root
from vaelab.densities.transformed import AbstractStep

FLATTEST = 0.01
"""The least slope of a step along w: at 0 it would have no inverse."""


class PlanarStep(AbstractStep):
    """f(z) = z + u' tanh(w.z + b), u' = u + (m(w.u) - w.u) w / w.w, m(x) = softplus(x) - 1 + 0.01.

    Rezende and Mohamed, "Variational inference with normalizing flows", ICML 2015, eq. 10 and appendix A.1. With w.u' > -1 the value
    along w, a + w.u' tanh(a + b) where a = w.z, rises in a, so the step is invertible, and log det = log(1 + w.u' (1 - tanh^2(a + b))).
    The inverse is the root of that one rising function, no further than the size of w.u' away from w.f(z).
    """

    u: Float[Array, " dim"]
    w: Float[Array, " dim"]
    b: Float[Array, ""]

    def forward(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        along, u = self._invertible()
        bent = jnp.tanh(self.w @ z + self.b)
        return z + u * bent, jnp.log1p(along * (1.0 - bent**2))

    def inverse(self, value: Float[Array, " dim"]) -> Float[Array, " dim"]:
        along, u = self._invertible()
        wanted = self.w @ value
        b = self.b

        def beyond(a: Array, along: Array, b: Array, wanted: Array) -> Array:
            return a + along * jnp.tanh(a + b) - wanted

        still = jax.lax.stop_gradient((along, b, wanted))
        a = rising_root(lambda a: beyond(a, *still), still[2] - jnp.abs(still[0]), still[2] + jnp.abs(still[0]))
        slope = 1.0 + still[0] * (1.0 - jnp.tanh(a + still[1]) ** 2)
        a = a - beyond(a, along, b, wanted) / slope
        return value - u * jnp.tanh(a + b)

    def _invertible(self) -> tuple[Float[Array, ""], Float[Array, " dim"]]:
        """w.u' and u'."""
        before, square = self.w @ self.u, self.w @ self.w
        wanted = jax.nn.softplus(before) - 1.0 + FLATTEST
        share = square / (square + 1e-12)  # 1, but for no w at all
        return share * wanted + (1.0 - share) * before, self.u + (wanted - before) * self.w / (square + 1e-12)
