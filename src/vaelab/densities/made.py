"""A network of one hidden layer whose i-th outputs see the inputs before the i-th alone."""

from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray


class Made(eqx.Module):
    """Outputs o_i = f_i(x_1, ..., x_i-1, context), by masks over the weights of an ordinary network with tanh units.

    Germain, Gregor, Murray and Larochelle, "MADE: masked autoencoder for distribution estimation", ICML 2015, eqs. 8 to 10. An input or an
    output may be several numbers. Units of degree 0 see the context alone, so that the first outputs hang on it too. `given`: what a
    context adds to the units, or None.
    """

    read: Float[Array, "inputs units"]
    given: Float[Array, "context units"] | None
    unit_bias: Float[Array, " units"]
    write: Float[Array, "units outputs"]
    output_bias: Float[Array, " outputs"]
    places: int = eqx.field(static=True)

    def __init__(
        self, places: int, *, of_input: int = 1, of_output: int, width: int, context: int = 0, key: PRNGKeyArray
    ):
        """`places` inputs of `of_input` numbers each, and as many outputs of `of_output` numbers."""
        read_key, given_key, write_key = jr.split(key, 3)
        inputs, outputs = places * of_input, places * of_output
        # each unit sees half of the inputs, and each output half of the units, on average
        self.read = jr.normal(read_key, (inputs, width)) * (1.0 / max(1.0, inputs / 2.0)) ** 0.5
        self.given = jr.normal(given_key, (context, width)) * (1.0 / context) ** 0.5 if context else None
        self.unit_bias = jnp.zeros(width)
        self.write = 0.1 * jr.normal(write_key, (width, outputs)) * (2.0 / width) ** 0.5  # beginning near no dependence
        self.output_bias = jnp.zeros(outputs)
        self.places = places

    def __call__(
        self, values: Float[Array, " inputs"], context: Float[Array, " context"] | None = None
    ) -> Float[Array, " outputs"]:
        """The outputs, place by place."""
        width = self.unit_bias.shape[0]
        into, out_of = _masks(self.places, self.read.shape[0], width, self.write.shape[1])
        units = values @ jnp.where(into, self.read, 0.0) + self.unit_bias
        if self.given is not None and context is not None:
            units = units + context @ self.given
        return jax.nn.tanh(units) @ jnp.where(out_of, self.write, 0.0) + self.output_bias


@lru_cache
def _masks(
    places: int, inputs: int, width: int, outputs: int
) -> tuple[Bool[np.ndarray, "inputs units"], Bool[np.ndarray, "units outputs"]]:
    """A unit of degree k sees the first k inputs, and the i-th outputs (from 0) see units of degrees 0 to i."""
    degrees = np.arange(width) * places // width  # 0 to places - 1, evenly
    of_inputs, of_outputs = np.arange(inputs) * places // inputs, np.arange(outputs) * places // outputs
    return of_inputs[:, None] < degrees[None], degrees[:, None] <= of_outputs[None]
