"""Draws of z given part of what is known of an image: z | visible pixels, z | a noisy image.

p(z | known) is proportional to p(z) p(known | z). In one and two dimensions by quadrature; in more by annealed importance resampling
(Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers", JRSS B 2006). Particles begin as draws of the prior, and p(known | z)^t is
let in as t rises from 0 to 1, by so much at a time as leaves half of them effective; then they are drawn anew by their weights, and moved
by Hamiltonian steps that leave the density of that t as it is. How many of the beginnings still have descendants says how much the draws
are worth.
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Float32, Key

from vaelab.densities import AbstractDensity
from vaelab.densities.box import box_of
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model

PARTICLES = 256
EFFECTIVE = 0.5
"""The share of particles that is still effective after t has risen."""
MOST_RISES = 400
"""Rises of t; a photograph in 32 dimensions takes some fifty."""
MOVES, LEAPS = 3, 5
"""Hamiltonian moves after each rise, and leapfrog steps of each."""
ACCEPTED = 0.7
"""The share of moves whose acceptance the length of a step is steered to."""

COARSE, FINE = 56, 72
"""Cells along an axis of the plane (their squares, of a line): of the whole box of the prior, then of where the mass is."""
DEPTH = 14.0
"""Nats below the best cell, beyond which a cell holds nothing."""


class Draws(NamedTuple):
    """- `z`: draws from p(z | known), with repetitions
    - `distinct`: how many draws are different in origin: cells of the grid, or beginnings that have descendants among them
    - `log_evidence`: log p(known), nats; by quadrature, or the annealed estimate
    """

    z: Float32[np.ndarray, "draws latent"]
    distinct: int
    log_evidence: float


class AbstractKnown(eqx.Module):
    """What is known of one image, as a score of z. Its leaves are arrays, so that one program serves all images."""

    @abstractmethod
    def log_prob(self, model: Model, z: Float[Array, " latent"]) -> Float[Array, ""]:
        """log p(known | z) in nats."""


class VisiblePixels(AbstractKnown):
    """Pixels of an image where `seen` is 1; what lies elsewhere is not looked at."""

    image: Float[Array, " *image"]
    seen: Float[Array, " *image"]

    def log_prob(self, model: Model, z: Float[Array, " latent"]) -> Float[Array, ""]:
        return model.likelihood(z).log_prob_where(self.seen, self.image)


class NoisyImage(AbstractKnown):
    """y = picture + noise, N(0, sigma^2) for each pixel: p(y | z) = N(y; the decoder's picture, sigma^2 + its own variance where the
    likelihood tells one in closed form).
    """

    image: Float[Array, " *image"]
    sigma: Float[Array, ""]

    def log_prob(self, model: Model, z: Float[Array, " latent"]) -> Float[Array, ""]:
        density = model.likelihood(z)
        own = density.marginal_log_variance
        variance = self.sigma**2 + (jnp.zeros_like(self.image) if own is None else jnp.exp(own))
        return -0.5 * jnp.sum((self.image - density.centre) ** 2 / variance + jnp.log(2.0 * jnp.pi * variance))


def draws_given(model: Model, known: AbstractKnown, count: int, *, seed: int = 0) -> Draws:
    """`count` draws of z given what is known of one image.

    Raises:
        VaelabError: in more than two dimensions, where the particles do not reach p(z | known).
    """
    if model.domain != "reals":
        raise VaelabError(
            translated(
                "draws of z given a part of an image move through all numbers, and z of this model lives in: {domain}; ask a model with a "
                "Gaussian posterior",
                domain=model.domain,
            )
        )
    prior = model.prior_density()
    if model.latent_dim <= 2:
        return _by_quadrature(model, prior, known, count, np.random.default_rng(seed))
    key = jr.key(seed)
    z, beginnings, log_evidence, temperature = _annealed(model, prior, known, key)
    if not temperature >= 1.0:  # nan, too
        raise VaelabError(
            translated(
                "what is known of an image is too much for {particles} particles: after {rises} steps only {share:.2g} of its "
                "log-likelihood was let in, and draws would be of another density. Hide more of it, or denoise with a larger sigma",
                particles=PARTICLES,
                rises=MOST_RISES,
                share=float(temperature),
            )
        )
    # of the particles, which are equal in weight, as even a choice as there is
    chosen = np.random.default_rng(seed).permutation(PARTICLES)
    chosen = chosen[np.arange(count) % PARTICLES]
    origins = np.asarray(beginnings)[chosen]
    return Draws(np.asarray(z)[chosen], len(np.unique(origins)), float(log_evidence))


# --- in the plane --------------------------------------------------------------------------------------------------------------------


def _by_quadrature(
    model: Model, prior: AbstractDensity, known: AbstractKnown, count: int, generator: np.random.Generator
) -> Draws:
    low, high = box_of(prior, model.latent_dim)
    for along in (COARSE, FINE):
        cells = along ** (2 // model.latent_dim)
        edges = [np.linspace(a, b, cells + 1) for a, b in zip(low, high, strict=True)]
        middles = [0.5 * (edge[:-1] + edge[1:]) for edge in edges]
        z = np.stack(np.meshgrid(*middles, indexing="ij"), axis=-1).reshape(-1, model.latent_dim).astype(np.float32)
        log_joint = np.asarray(_log_joint(model, prior, known, jnp.asarray(z)), np.float64)
        widths = np.array([edge[1] - edge[0] for edge in edges])
        held = z[log_joint > log_joint.max() - DEPTH]
        low, high = held.min(axis=0) - 1.5 * widths, held.max(axis=0) + 1.5 * widths
    weights = np.exp(log_joint - log_joint.max())
    cells_drawn = generator.choice(len(z), size=count, p=weights / weights.sum())
    within = generator.uniform(-0.5, 0.5, (count, model.latent_dim)) * widths
    log_evidence = log_joint.max() + np.log(weights.sum() * widths.prod())
    return Draws((z[cells_drawn] + within).astype(np.float32), len(np.unique(cells_drawn)), float(log_evidence))


@eqx.filter_jit
def _log_joint(
    model: Model, prior: AbstractDensity, known: AbstractKnown, z: Float[Array, "points latent"]
) -> Float[Array, " points"]:
    return jax.lax.map(lambda one: known.log_prob(model, one) + prior.log_prob(one), z, batch_size=128)


# --- in more dimensions --------------------------------------------------------------------------------------------------------------


class _State(NamedTuple):
    z: Float[Array, "particles latent"]
    log_known: Float[Array, " particles"]
    beginnings: Array
    temperature: Float[Array, ""]
    log_evidence: Float[Array, ""]
    step_size: Float[Array, ""]
    rises: Array
    key: Key[Array, ""]


@eqx.filter_jit
def _annealed(
    model: Model, prior: AbstractDensity, known: AbstractKnown, key: Key[Array, ""]
) -> tuple[Float[Array, "particles latent"], Array, Float[Array, ""], Float[Array, ""]]:
    """Particles of p(z | known), of which beginning each descends, the estimate of log p(known), and the t that was reached."""

    def of_known(z: Array) -> Array:
        return jax.vmap(lambda one: known.log_prob(model, one))(z)

    first_key, key = jr.split(key)
    z = jax.vmap(prior.sample)(jr.split(first_key, PARTICLES))
    beginnings = jnp.arange(PARTICLES)
    start = _State(z, of_known(z), beginnings, jnp.float32(0.0), jnp.float32(0.0), jnp.float32(0.1), jnp.int32(0), key)

    def rise(state: _State) -> _State:
        choose_key, move_key, key = jr.split(state.key, 3)
        temperature = _next_temperature(state.log_known, state.temperature)
        log_weights = (temperature - state.temperature) * state.log_known
        gain = jax.nn.logsumexp(log_weights) - jnp.log(float(PARTICLES))
        chosen = _systematic(choose_key, jax.nn.softmax(log_weights))
        z, scale = state.z[chosen], jnp.std(state.z[chosen], axis=0) + 1e-3
        step_size = state.step_size
        for one in jr.split(move_key, MOVES):
            z, accepted = _moved(model, prior, known, z, temperature, step_size * scale, one)
            step_size = jnp.clip(step_size * jnp.exp(accepted - ACCEPTED), 1e-3, 1.0)
        return _State(
            z,
            of_known(z),
            state.beginnings[chosen],
            temperature,
            state.log_evidence + gain,
            step_size,
            state.rises + 1,
            key,
        )

    end = jax.lax.while_loop(lambda state: (state.temperature < 1.0) & (state.rises < MOST_RISES), rise, start)
    return end.z, end.beginnings, end.log_evidence, end.temperature


def _next_temperature(log_known: Float[Array, " particles"], now: Float[Array, ""]) -> Float[Array, ""]:
    """The highest that leaves EFFECTIVE of the particles effective, by bisection; 1 where that does."""

    def effective(temperature: Array) -> Array:
        weights = jax.nn.softmax((temperature - now) * log_known)
        return 1.0 / jnp.sum(weights**2)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        enough = effective(middle) >= EFFECTIVE * PARTICLES
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    low, _ = jax.lax.fori_loop(0, 30, halve, (now, jnp.float32(1.0)))
    whole = effective(jnp.float32(1.0)) >= EFFECTIVE * PARTICLES
    return jnp.where(whole, jnp.float32(1.0), jnp.maximum(low, now + 1e-7))


def _systematic(key: Key[Array, ""], weights: Float[Array, " particles"]) -> Array:
    """Which particles go on: each so many times as its weight says, but for the rounding."""
    places = (jnp.arange(PARTICLES, dtype=jnp.float32) + jr.uniform(key)) / PARTICLES
    return jnp.clip(jnp.searchsorted(jnp.cumsum(weights), places), 0, PARTICLES - 1)


def _moved(
    model: Model,
    prior: AbstractDensity,
    known: AbstractKnown,
    z: Float[Array, "particles latent"],
    temperature: Float[Array, ""],
    steps: Float[Array, " latent"],
    key: Key[Array, ""],
) -> tuple[Float[Array, "particles latent"], Float[Array, ""]]:
    """One Hamiltonian move of each particle, which leaves p(z) p(known | z)^t as it is (Neal, "MCMC using Hamiltonian dynamics", 2011),
    and the share of them that was accepted.
    """

    def target(z: Array) -> Array:
        return prior.log_prob(z) + temperature * known.log_prob(model, z)

    def one(z: Array, key: Array) -> tuple[Array, Array]:
        momentum_key, accept_key = jr.split(key)
        momentum = jr.normal(momentum_key, z.shape)
        (value, gradient) = jax.value_and_grad(target)(z)

        def leap(carried: tuple[Array, ...], _: Any) -> tuple[tuple[Array, ...], None]:
            z, momentum, gradient = carried[:3]
            momentum = momentum + 0.5 * steps * gradient
            z = z + steps * momentum
            value, gradient = jax.value_and_grad(target)(z)
            return (z, momentum + 0.5 * steps * gradient, gradient, value), None

        (moved, ending, _, new_value), _ = jax.lax.scan(leap, (z, momentum, gradient, value), None, length=LEAPS)
        gain = new_value - value + 0.5 * jnp.sum(momentum**2 - ending**2)
        # infinite or not a number: not accepted
        accept = jnp.log(jr.uniform(accept_key)) < jnp.where(jnp.isfinite(gain), gain, -jnp.inf)
        return jnp.where(accept, moved, z), accept.astype(jnp.float32)

    moved, accepted = jax.vmap(one)(z, jr.split(key, PARTICLES))
    return moved, accepted.mean()
