"""The few densities that everything here is made of.

A density is two methods for ONE value: `log_prob(value)`, in nats, and `sample(key)`. Batches are `jax.vmap`'s business. What is
exact in closed form is a function beside them: `kl_divergence`.
"""

from abc import abstractmethod
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

LOG_TWO_PI = 1.8378770664093453
EXACT_DIMENSIONS = 8
"""Up to here a mixture's squares are summed difference by difference; beyond, by matrix products, whose rounding no longer matters
beside the 10 nats and more that such densities spread over."""


class AbstractDensity(eqx.Module):
    """What has a log-density and can be drawn from."""

    @abstractmethod
    def log_prob(self, value: Float[Array, "..."]) -> Float[Array, ""]:
        """The log-density (nats) of one value, summed over all its entries."""

    @abstractmethod
    def sample(self, key: PRNGKeyArray) -> Float[Array, "..."]:
        """One draw; differentiable in the parameters where the family allows it."""

    def given(self, condition: Array | None) -> "AbstractDensity":
        """The density under a condition (an integer label): itself, for all that do not know of labels."""
        del condition
        return self


class AbstractDensityWithMean(AbstractDensity):
    """A density that knows its mean: every posterior and every likelihood, whose mean is the code or the picture shown."""

    mean: eqx.AbstractVar[Float[Array, " *shape"]]


class DiagonalNormal(AbstractDensityWithMean):
    """A Gaussian with independent entries: N(mean, exp(log_variance)), any shape.

    log p(x) = -1/2 sum_i [ log 2 pi + log_variance_i + (x_i - mean_i)^2 / exp(log_variance_i) ].
    """

    mean: Float[Array, " *shape"]
    log_variance: Float[Array, " *shape"]

    @property
    def standard_deviation(self) -> Float[Array, " *shape"]:
        return jnp.exp(0.5 * self.log_variance)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        square = (value - self.mean) ** 2 * jnp.exp(-self.log_variance)
        return -0.5 * jnp.sum(LOG_TWO_PI + self.log_variance + square)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return self.mean + self.standard_deviation * jr.normal(key, self.mean.shape, self.mean.dtype)


def standard_normal(size: int) -> DiagonalNormal:
    """N(0, I) in `size` dimensions."""
    return DiagonalNormal(jnp.zeros(size), jnp.zeros(size))


class Delta(AbstractDensityWithMean):
    """All mass at one point: the posterior of a plain autoencoder. It has no density, so `log_prob` is refused."""

    mean: Float[Array, " latent"]

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        del value
        raise TypeError("a deterministic posterior has no density, so no log-likelihood follows from it")

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        del key
        return self.mean


class FullNormal(AbstractDensityWithMean):
    """A Gaussian with any covariance L L^T, by its lower Cholesky factor `scale` (positive diagonal)."""

    mean: Float[Array, " dim"]
    scale: Float[Array, "dim dim"]

    def log_prob(self, value: Float[Array, " dim"]) -> Float[Array, ""]:
        white = _solved(self.scale, value - self.mean)
        log_determinant = jnp.sum(jnp.log(jnp.diagonal(self.scale)))
        return -0.5 * jnp.sum(LOG_TWO_PI + white**2) - log_determinant

    def sample(self, key: PRNGKeyArray) -> Float[Array, " dim"]:
        return self.mean + self.scale @ jr.normal(key, self.mean.shape, self.mean.dtype)


def _solved(scale: Float[Array, "dim dim"], value: Float[Array, " dim"]) -> Float[Array, " dim"]:
    """L^-1 v, in few dimensions by forward substitution written out: for many points under many components a general solver is slow."""
    size = value.shape[0]
    if size > EXACT_DIMENSIONS:
        return jax.scipy.linalg.solve_triangular(scale, value, lower=True)
    solved: list[Array] = []
    for row in range(size):
        known = sum((scale[row, column] * solved[column] for column in range(row)), jnp.zeros((), value.dtype))
        solved.append((value[row] - known) / scale[row, row])
    return jnp.stack(solved)


class Mixture(AbstractDensity):
    """Sum_k weight_k p_k(x), the components stacked along a leading axis of one density's arrays."""

    log_weights: Float[Array, " components"]  # normalised: logsumexp is 0
    components: AbstractDensity

    def component_log_probs(self, value: Float[Array, " dim"]) -> Float[Array, " components"]:
        """log weight_k + log p_k(x), for each k."""
        if isinstance(self.components, DiagonalNormal) and value.shape[-1] > EXACT_DIMENSIONS:
            return self.log_weights + log_probs_by_products(self.components, value)
        return self.log_weights + jax.vmap(lambda component: component.log_prob(value))(self.components)

    def log_prob(self, value: Float[Array, " dim"]) -> Float[Array, ""]:
        return jax.nn.logsumexp(self.component_log_probs(value))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " dim"]:
        which_key, value_key = jr.split(key)
        which = jr.categorical(which_key, self.log_weights)
        return jax.tree.map(lambda leaf: leaf[which], self.components).sample(value_key)


def log_probs_by_products(components: DiagonalNormal, value: Float[Array, " dim"]) -> Float[Array, " components"]:
    """log N(x; m_k, diag(v_k)) for each k of stacked components, by two products: sum_i (x_i - m_ki)^2 / v_ki, multiplied out.

    Under `vmap` these are matrix products, and so are their gradients: for 500 components and 100 values of 40 entries 34 times
    as fast as the squares of all differences (`benchmarks/mixture_densities.py`). The price is a rounding of about 1e-6 of
    (m / sigma)^2; the centre of the components is taken off first, so that their spread counts and not where they lie.
    """
    centre = jax.lax.stop_gradient(components.mean.mean(axis=0))
    mean, value = components.mean - centre[None], value - centre
    precision = jnp.exp(-components.log_variance)
    weighted = mean * precision
    multiply = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    square = multiply(precision, value**2) - 2.0 * multiply(weighted, value) + jnp.sum(mean * weighted, axis=1)
    return -0.5 * (value.shape[0] * LOG_TWO_PI + jnp.sum(components.log_variance, axis=1) + square)


class Bernoulli(AbstractDensityWithMean):
    """Independent Bernoulli pixels, by their logits; grey values in [0, 1] are taken as expectations.

    log p(x) = sum_i [ x_i l_i - softplus(l_i) ], minus the binary cross-entropy. A density only for x in {0, 1}.
    """

    logits: Float[Array, " *shape"]

    @property
    def mean(self) -> Float[Array, " *shape"]:
        return jax.nn.sigmoid(self.logits)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        # flat: a batch of rows of 784 is summed faster than one of 28 x 28
        return jnp.sum(_bernoulli_log_prob(jnp.ravel(self.logits), jnp.ravel(value)))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return jr.bernoulli(key, self.mean).astype(self.logits.dtype)


@jax.custom_jvp
def _bernoulli_log_prob(logits: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, " *shape"]:
    """x l - softplus(l), elementwise, with softplus(l) = max(l, 0) + log(1 + e^-|l|)."""
    return value * logits - jnp.maximum(logits, 0.0) - jnp.log(1.0 + jnp.exp(-jnp.abs(logits)))


@_bernoulli_log_prob.defjvp
def _bernoulli_log_prob_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    """The gradient is x - sigmoid(l): one exponential, where that of a general softplus takes several."""
    logits, value = primals
    logits_tangent, value_tangent = tangents
    gradient = (value - jax.nn.sigmoid(logits)) * logits_tangent + logits * value_tangent
    return _bernoulli_log_prob(logits, value), gradient


class ContinuousBernoulli(AbstractDensityWithMean):
    """A proper density for grey pixels in [0, 1]: p(x) = C(l) exp(l x), by its logits l.

    With lambda = sigmoid(l): p(x) = C lambda^x (1 - lambda)^(1 - x), C = 2 artanh(1 - 2 lambda) / (1 - 2 lambda), and C(1/2) = 2
    (Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders", NeurIPS 2019,
    eqs. 5 and 6). In logits the normaliser is log C - softplus(l) = log(l / (e^l - 1)); near l = 0 its Taylor series is used.
    """

    logits: Float[Array, " *shape"]

    @property
    def log_normaliser(self) -> Float[Array, " *shape"]:
        """log( l / (e^l - 1) ), elementwise; at l = 0 it is 0."""
        logits = self.logits
        near_zero = jnp.abs(logits) < 0.1
        safe = jnp.where(near_zero, 1.0, logits)
        size = jnp.abs(safe)
        # l / (e^l - 1) = |l| e^(-|l|) / (1 - e^(-|l|)) for l > 0, and |l| / (1 - e^(-|l|)) for l < 0
        exact = jnp.log(size) - jnp.maximum(safe, 0.0) - jnp.log(-jnp.expm1(-size))
        series = -logits / 2 - logits**2 / 24 + logits**4 / 2880
        return jnp.where(near_zero, series, exact)

    @property
    def mean(self) -> Float[Array, " *shape"]:
        return continuous_bernoulli_mean(self.logits)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return jnp.sum(value * self.logits + self.log_normaliser)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        """By the inverse of the distribution function, x = log(1 + u (e^l - 1)) / l."""
        uniform = jr.uniform(key, self.logits.shape, self.logits.dtype)
        near_zero = jnp.abs(self.logits) < 1e-3
        safe = jnp.where(near_zero, 1.0, self.logits)
        size = jnp.abs(safe)
        # for l > 0 by symmetry, 1 - x of the draw for -l: no exponential that overflows
        below = -jnp.log1p(uniform * jnp.expm1(-size)) / size
        draw = jnp.where(safe > 0, 1.0 - below, below)
        return jnp.where(near_zero, uniform, jnp.clip(draw, 0.0, 1.0))


@jax.jit
def continuous_bernoulli_mean(logits: Float[Array, " *shape"]) -> Float[Array, " *shape"]:
    """E[x] = 1 / (1 - e^(-l)) - 1 / l, and 1/2 at l = 0 (Loaiza-Ganem and Cunningham 2019, eq. 8, in logits).

    A `jit` of its own, so that its name stands in a jaxpr: `graph/equations.py` knows it by that.
    """
    near_zero = jnp.abs(logits) < 0.1
    safe = jnp.where(near_zero, 1.0, logits)
    size = jnp.abs(safe)
    above = -1.0 / jnp.expm1(-size) - 1.0 / size
    exact = jnp.where(safe > 0, above, 1.0 - above)
    series = 0.5 + logits / 12 - logits**3 / 720 + logits**5 / 30240
    return jnp.where(near_zero, series, exact)


def kl_divergence(q: AbstractDensity, p: AbstractDensity) -> Float[Array, " latent"] | None:
    """KL(q || p) in nats for each dimension, where it has a closed form and both factorise; otherwise None.

    For Gaussians, 1/2 [ log v_p - log v_q + (v_q + (m_q - m_p)^2) / v_p - 1 ]
    (Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B, for p = N(0, I)).
    """
    if isinstance(q, DiagonalNormal) and isinstance(p, DiagonalNormal):
        log_ratio = q.log_variance - p.log_variance
        square = (q.mean - p.mean) ** 2 * jnp.exp(-p.log_variance)
        return 0.5 * (jnp.exp(log_ratio) + square - 1.0 - log_ratio)
    return None


def sample_many(density: AbstractDensity, key: PRNGKeyArray, count: int) -> Float[Array, "count ..."]:
    """`count` independent draws, stacked."""
    return jax.vmap(density.sample)(jr.split(key, count))
