"""The normalising-flow prior."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.bijections import (
    AbstractBijection,
    Chain,
    Coupling,
    Flip,
    Invert,
    MaskedAutoregressive,
    RationalQuadraticSpline,
    Scan,
)
from flowjax.distributions import StandardNormal, Transformed
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional
from vaelab.densities import AbstractDensity
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import FlowPriorSettings

FlowKind = Literal["coupling", "masked-autoregressive"]
Affine = Literal["trained", "fixed"]

SPLINE_INTERVAL = 4.0
"""The splines bend within +-4 standard deviations; beyond, they are the identity."""


@dataclass(frozen=True)
class FlowArchitecture:
    """All of a flow but its arrays."""

    latent_dim: int
    flow: FlowKind = "masked-autoregressive"
    layers: int = 4
    width: int = 64
    knots: int = 8

    def build(self, key: PRNGKeyArray) -> Transformed:
        size = self.latent_dim

        def layer(key: PRNGKeyArray) -> AbstractBijection:
            spline = RationalQuadraticSpline(knots=self.knots, interval=SPLINE_INTERVAL)
            sizes = {"dim": size, "cond_dim": None, "nn_width": self.width, "nn_depth": 1}
            if self.flow == "coupling":
                bijection = Coupling(key, transformer=spline, untransformed_dim=size // 2, **sizes)
            else:
                bijection = MaskedAutoregressive(key, transformer=spline, **sizes)
            # what came first comes last in the next layer
            return bijection if size == 1 else Chain([bijection, Flip((size,))])

        with flowjax_conventions():
            layers = eqx.filter_vmap(layer)(jr.split(key, self.layers))
            # a Normal's location and scale would be trained; this base has no parameters. Inverted: log_prob is the quick way
            return Transformed(StandardNormal((size,)), Invert(Scan(layers)))


class FlowPrior(AbstractPrior):
    """z = centre + spread * f(u), u ~ N(0, I), with f an invertible network of rational-quadratic splines.

    A coupling flow (Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", ICLR 2017) or a masked autoregressive one
    (Papamakarios, Pavlakou and Murray, "Masked autoregressive flow for density estimation", NeurIPS 2017), with the splines of
    Durkan et al., "Neural spline flows", NeurIPS 2019; from flowjax.

    The splines work where the latents lie by the affine map they end in. Of a flow fitted afterwards it is that of its draws, `fixed`.
    Of one trained with the model it is `trained`: fixed at N(0, I), the splines' interval would hold the codes within 4 of the
    origin, while every prior that can widen gains by it.
    """

    arrays: PyTree
    centre: Float[Array, " latent"]
    log_spread: Float[Array, " latent"]
    architecture: FlowArchitecture = eqx.field(static=True)
    affine: Affine = eqx.field(static=True)

    def __init__(self, architecture: FlowArchitecture, affine: Affine = "fixed", *, key: PRNGKeyArray):
        self.arrays = eqx.filter(architecture.build(key), eqx.is_array)
        self.centre = jnp.zeros(architecture.latent_dim)
        self.log_spread = jnp.zeros(architecture.latent_dim)
        self.architecture = architecture
        self.affine = affine

    @classmethod
    def build(cls, settings: FlowPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "FlowPrior":
        architecture = FlowArchitecture(
            shapes.latent_dim, settings.flow, settings.layers, settings.width, settings.knots
        )
        return cls(architecture, settings.affine, key=key)

    def settings(self) -> FlowPriorSettings:
        made = self.architecture
        return FlowPriorSettings(
            flow=made.flow, layers=made.layers, width=made.width, knots=made.knots, affine=self.affine
        )

    @property
    def latent_dim(self) -> int:
        return self.architecture.latent_dim

    def density(self, encoder: AbstractConditional | None = None) -> "FlowDensity":
        del encoder
        return FlowDensity(self.arrays, self.centre, self.log_spread, self.architecture)

    def with_scale(self, centre: Float[np.ndarray, " latent"], spread: Float[np.ndarray, " latent"]) -> "FlowPrior":
        """The flow about `centre`, `spread` times as wide: its network works in standard units."""
        scale = jnp.asarray(centre, jnp.float32), jnp.asarray(np.log(spread), jnp.float32)
        return eqx.tree_at(lambda prior: (prior.centre, prior.log_spread), self, scale)

    def trainable(self) -> PyTree[bool]:
        mask = jax.tree.map(eqx.is_inexact_array, self)
        trained = self.affine == "trained"
        return eqx.tree_at(lambda mask: (mask.centre, mask.log_spread), mask, (trained, trained))


class FlowDensity(AbstractDensity):
    """`log p(z) = log N(f^-1(y); 0, I) + log |det df^-1/dy| - sum_i log spread_i`, y = (z - centre) / spread."""

    arrays: PyTree
    centre: Float[Array, " latent"]
    log_spread: Float[Array, " latent"]
    architecture: FlowArchitecture = eqx.field(static=True)

    @property
    def flow(self) -> Transformed:
        return eqx.combine(self.arrays, _structure(self.architecture))

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        with flowjax_conventions():
            standard = self.flow.log_prob((value - self.centre) * jnp.exp(-self.log_spread))
        return standard - jnp.sum(self.log_spread)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        with flowjax_conventions():
            return self.centre + jnp.exp(self.log_spread) * self.flow.sample(key)


@lru_cache(maxsize=64)
def _structure(architecture: FlowArchitecture) -> Any:
    """A flow's functions without its arrays. One object for each architecture: a flow built anew would carry other functions, and
    two models that differ by nothing else would not share a compiled program.
    """
    with jax.ensure_compile_time_eval():
        return eqx.filter(architecture.build(jr.key(0)), eqx.is_array, inverse=True)


@contextmanager
def flowjax_conventions() -> Iterator[None]:
    """Flowjax is written for JAX's default rules on mixed dtypes and ranks; ours may be stricter."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
