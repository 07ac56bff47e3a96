"""Densities over the 256 levels of a pixel, k / 255 for k = 0 ... 255: each level has a probability, so nats here can be told as bits.

A logistic of location m and scale s gives level x the mass of its bin, sigmoid((x + h - m) / s) - sigmoid((x - h - m) / s) with h = 1/510;
the first and the last bin reach to infinity (Kingma et al., "Improved variational inference with inverse autoregressive flow", NeurIPS
2016, appendix C; Salimans et al., "PixelCNN++", ICLR 2017, eq. 2). With a = (x + h - m) / s and b = (x - h - m) / s that is

    log sigmoid(a) + log sigmoid(-b) + log(1 - exp(-2 h / s)),

which loses nothing where the bin's mass is small, and of which the first bin keeps the first term alone, the last bin the second.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity

LEVELS = 256
HALF_BIN = 0.5 / (LEVELS - 1)


def logistic_level_log_probs(
    value: Float[Array, "*shape"], mean: Float[Array, "*shape"], log_scale: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """log P(level) of each entry: `value` on the levels, in [0, 1]; `mean` and `log_scale` in the same units."""
    precision = jnp.exp(-log_scale)
    above = jax.nn.log_sigmoid((value + HALF_BIN - mean) * precision)
    below = jax.nn.log_sigmoid((mean - value + HALF_BIN) * precision)
    width = 2.0 * HALF_BIN * precision
    # log(1 - e^-w), Maechler 2012: expm1 for narrow bins, log1p for wide ones
    narrow = width < 0.693
    inside = jnp.where(
        narrow,
        jnp.log(-jnp.expm1(-jnp.where(narrow, width, 0.5))),
        jnp.log1p(-jnp.exp(-jnp.where(narrow, 1.0, width))),
    )
    first, last = value < HALF_BIN, value > 1.0 - HALF_BIN
    return jnp.where(last, 0.0, above) + jnp.where(first, 0.0, below) + jnp.where(first | last, 0.0, inside)


@jax.jit
def clipped_logistic_mean(mean: Float[Array, "*shape"], log_scale: Float[Array, "*scale"]) -> Float[Array, "*shape"]:
    """The mean of a logistic whose mass outside of [0, 1] lies on its ends: s [ softplus(m / s) - softplus((m - 1) / s) ].

    It is the integral of P(X > t) over [0, 1]. The mean of its 256 levels is the midpoint sum of the same, so that the two differ by less
    than half a level, and by nothing that counts where the scale is not far below one. `log_scale` is one number, or one for each entry.
    """
    log_scale = jnp.broadcast_to(log_scale, mean.shape)
    scale, precision = jnp.exp(log_scale), jnp.exp(-log_scale)
    return scale * (jax.nn.softplus(mean * precision) - jax.nn.softplus((mean - 1.0) * precision))


def logistic_location(mean: Float[Array, "*shape"], log_scale: Float[Array, ""]) -> Float[Array, "*shape"]:
    """The location whose `clipped_logistic_mean` is `mean`, by bisection; means are kept a level away from 0 and 1."""
    wanted = jnp.clip(mean, 1.0 / LEVELS, 1.0 - 1.0 / LEVELS)
    reach = 10.0 * jnp.exp(log_scale)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        below = clipped_logistic_mean(middle, log_scale) < wanted
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, 40, halve, (jnp.full_like(wanted, -reach), jnp.full_like(wanted, 1.0 + reach)))
    return 0.5 * (low + high)


def on_level(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The nearest level of each entry, in [0, 1]."""
    return jnp.clip(jnp.round(value * (LEVELS - 1)), 0, LEVELS - 1) / (LEVELS - 1)


class DiscretisedLogistic(AbstractCentredDensity):
    """Independent entries, each a logistic on the levels; one scale for all of them, or one for each."""

    mean: Float[Array, " *shape"]
    log_scale: Float[Array, " *scale"]

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return clipped_logistic_mean(self.mean, self.log_scale)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        log_scale = jnp.broadcast_to(self.log_scale, self.mean.shape)
        return jnp.sum(logistic_level_log_probs(jnp.ravel(value), jnp.ravel(self.mean), jnp.ravel(log_scale)))

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        log_scale = jnp.broadcast_to(self.log_scale, self.mean.shape)
        return jnp.sum(seen * logistic_level_log_probs(value, self.mean, log_scale))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        scale = jnp.broadcast_to(jnp.exp(self.log_scale), self.mean.shape)
        return on_level(self.mean + scale * jr.logistic(key, self.mean.shape, self.mean.dtype))


class DiscretisedLogisticMixture(AbstractCentredDensity):
    """At each place of an image a mixture of K discretised logistics, whose component all channels of that place share.

    p(x at a place) = sum_k w_k prod_c P(x_c | m_ck, s_ck): so channels are not independent, which is what colours need (Salimans et al.
    2017, section 2.1; their linear dependence of green on red and of blue on both is left out, for no picture would then show the mean).
    """

    logits: Float[Array, "places components"]
    mean: Float[Array, "places channels components"]
    log_scale: Float[Array, "places channels components"]
    shape: tuple[int, ...] = eqx.field(static=True)

    @property
    def centre(self) -> Float[Array, " *shape"]:
        weights = jnp.expand_dims(jax.nn.softmax(self.logits, axis=-1), 1)
        return jnp.sum(weights * clipped_logistic_mean(self.mean, self.log_scale), axis=-1).reshape(self.shape)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return self.log_prob_where(jnp.ones_like(value), value)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        by_channel = (*self.mean.shape[:2], 1)
        entries = jnp.broadcast_to(value.reshape(by_channel), self.mean.shape)
        scores = seen.reshape(by_channel) * logistic_level_log_probs(entries, self.mean, self.log_scale)
        return jnp.sum(jax.nn.logsumexp(jax.nn.log_softmax(self.logits, axis=-1) + jnp.sum(scores, axis=1), axis=-1))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        component_key, value_key = jr.split(key)
        chosen = jr.categorical(component_key, self.logits)[:, None, None]
        mean, log_scale = (jnp.take_along_axis(one, chosen, axis=-1)[..., 0] for one in (self.mean, self.log_scale))
        drawn = mean + jnp.exp(log_scale) * jr.logistic(value_key, mean.shape, mean.dtype)
        return on_level(drawn).reshape(self.shape)


class CategoricalLevels(AbstractCentredDensity):
    """Independent entries, each with a probability of its own for each of its 256 levels (van den Oord et al., "Pixel recurrent neural
    networks", ICML 2016, section 3.1): it knows nothing of which levels lie beside each other.
    """

    logits: Float[Array, "entries levels"]
    shape: tuple[int, ...] = eqx.field(static=True)

    @property
    def centre(self) -> Float[Array, " *shape"]:
        levels = jnp.arange(LEVELS, dtype=self.logits.dtype) / (LEVELS - 1)
        return (jax.nn.softmax(self.logits, axis=-1) @ levels).reshape(self.shape)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return self.log_prob_where(jnp.ones_like(value), value)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        level = jnp.clip(jnp.round(jnp.ravel(value) * (LEVELS - 1)), 0, LEVELS - 1).astype(jnp.int32)
        own = jnp.take_along_axis(self.logits, level[:, None], axis=-1)[:, 0]
        return jnp.sum(jnp.ravel(seen) * (own - jax.nn.logsumexp(self.logits, axis=-1)))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        drawn = jr.categorical(key, self.logits).astype(self.logits.dtype) / (LEVELS - 1)
        return drawn.reshape(self.shape)
