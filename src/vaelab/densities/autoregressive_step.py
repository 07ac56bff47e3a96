"""The gated step of an inverse autoregressive flow."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from vaelab.densities.made import Made
from vaelab.densities.transformed import AbstractStep

SMALLEST_GATE = 0.05
"""So that one step shrinks no entry more than twentyfold, and its inverse overflows nowhere."""

OPEN = 2.0
"""Added to what opens the gate: a step begins near the identity."""


class AutoregressiveStep(AbstractStep):
    """f(z)_i = g_i z_i + (1 - g_i) m_i, with gate and m functions of z_1, ..., z_i-1 and the context, and then the order turned round.

    Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling, "Improving variational inference with inverse autoregressive flow", NeurIPS
    2016, eqs. 13 and 14, whose gate is sigmoid(s); here it keeps above a floor. The Jacobian is triangular, so its determinant is the
    product of the gates. Forward is one pass of the network; backward entry i needs those before it, so it takes one for each.
    """

    network: Made
    context: Float[Array, " context"]

    def forward(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        gate, moved = self._of(z)
        return jnp.flip(gate * z + (1.0 - gate) * moved), jnp.sum(jnp.log(gate))

    def inverse(self, value: Float[Array, " dim"]) -> Float[Array, " dim"]:
        value = jnp.flip(value)

        def once(_: Any, z: Float[Array, " dim"]) -> Float[Array, " dim"]:
            gate, moved = self._of(z)
            return (value - (1.0 - gate) * moved) / gate

        # after i passes the first i entries are exact, whatever the others began as
        return jax.lax.fori_loop(0, value.shape[0], once, jnp.zeros_like(value))

    def shared(self) -> PyTree[bool]:
        return eqx.tree_at(
            lambda it: it.network, jax.tree.map(lambda _: False, self), jax.tree.map(lambda _: True, self.network)
        )

    def _of(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, " dim"]]:
        opened, moved = self.network(z, self.context).reshape(-1, 2).T
        return SMALLEST_GATE + (1.0 - SMALLEST_GATE) * jax.nn.sigmoid(opened + OPEN), moved
