"""Flows of a posterior: their inverse, their Jacobian against autodiff, their density against quadrature and against what is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.densities import DiagonalNormal
from vaelab.densities.made import Made
from vaelab.densities.planar_step import PlanarStep
from vaelab.densities.roots import rising_root
from vaelab.densities.transformed import Transformed
from vaelab.families.base import AbstractFamily
from vaelab.kinds import POSTERIORS

SETTINGS = {
    "inverse-autoregressive": {"kind": "inverse-autoregressive", "steps": 3, "width": 12, "context": 4},
    "planar": {"kind": "planar", "steps": 3},
    "sylvester": {"kind": "sylvester", "steps": 3, "reflections": 2},
}


def family_of(name: str, size: int) -> AbstractFamily:
    return POSTERIORS.build(POSTERIORS.settings(SETTINGS[name]), (size,), key=jr.key(size))


def density_of(name: str, size: int, *, strength: float = 1.0, seed: int = 0) -> Transformed:
    """A flow that bends: the weights that begin near the identity are made ten times as large."""
    family = family_of(name, size)
    if name == "inverse-autoregressive":
        family = eqx.tree_at(lambda it: [one.write for one in it.networks], family, replace_fn=lambda leaf: 10.0 * leaf)
    shapes = family.parameters()
    numbers = {
        n: strength * jr.normal(k, s) for (n, s), k in zip(shapes.items(), jr.split(jr.key(seed), 9), strict=False)
    }
    density = family(**numbers)
    assert isinstance(density, Transformed)
    return density


@pytest.mark.parametrize("size", [1, 2, 5, 12])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_step_there_and_back_and_its_determinant_is_that_of_its_jacobian(name: str, size: int) -> None:
    for seed in range(3):
        density = density_of(name, size, seed=seed)
        for step in density.steps:
            z = jr.normal(jr.fold_in(jr.key(7), seed), (size,))
            value, log_determinant = step.forward(z)
            np.testing.assert_allclose(step.inverse(value), z, atol=2e-4)
            sign, expected = jnp.linalg.slogdet(jax.jacfwd(lambda z, step=step: step.forward(z)[0])(z))
            assert abs(float(sign)) == 1.0
            np.testing.assert_allclose(log_determinant, expected, atol=1e-4)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_gradient_of_the_inverse_is_that_of_the_inverse_function_theorem(name: str) -> None:
    """dz/dvalue is the inverse of the Jacobian; and z of the value that z gives does not hang on the step's arrays."""
    step = density_of(name, 3).steps[0]
    z = jnp.array([0.3, -0.8, 1.1])
    value = step.forward(z)[0]
    forward = jax.jacfwd(lambda z: step.forward(z)[0])(z)
    np.testing.assert_allclose(jax.jacrev(step.inverse)(value), np.linalg.inv(forward), atol=1e-3)
    still = eqx.filter_grad(lambda step: jnp.sum(step.inverse(step.forward(z)[0])))(step)
    for leaf in jax.tree.leaves(still):
        np.testing.assert_allclose(leaf, 0.0, atol=2e-4)


@pytest.mark.parametrize("name", SETTINGS)
def test_in_two_dimensions_it_integrates_to_one_and_its_moments_are_those_of_its_draws(name: str) -> None:
    """By a lattice of 0.02 over a square of 24, against 100,000 draws."""
    density = density_of(name, 2, strength=0.7)
    axis = np.arange(-12.0, 12.0, 0.02, dtype=np.float32) + 0.01
    points = jnp.stack(jnp.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    p = np.exp(np.asarray(jax.jit(jax.vmap(density.log_prob))(points), np.float64)) * 0.02**2
    assert p.sum() == pytest.approx(1.0, abs=2e-3)
    draws = np.asarray(jax.jit(jax.vmap(density.sample))(jr.split(jr.key(1), 100_000)), np.float64)
    mean = (p[:, None] * np.asarray(points)).sum(axis=0)
    error = 5.0 * draws.std(axis=0) / 100_000**0.5 + 0.01
    assert (np.abs(draws.mean(axis=0) - mean) < error).all()
    # and in each quadrant about the mean lie as many draws as it has mass
    for first in (False, True):
        for second in (False, True):

            def inside(x: np.ndarray, first: bool = first, second: bool = second) -> np.ndarray:
                return ((x[:, 0] > mean[0]) == first) & ((x[:, 1] > mean[1]) == second)

            share = p[inside(np.asarray(points))].sum()
            assert inside(draws).mean() == pytest.approx(share, abs=0.012)


@pytest.mark.parametrize("name", SETTINGS)
def test_own_draws_are_scored_as_any_value_is(name: str) -> None:
    density = density_of(name, 6)
    values, log_probs = jax.vmap(density.sample_and_log_prob)(jr.split(jr.key(2), 200))
    np.testing.assert_array_equal(values, jax.vmap(density.sample)(jr.split(jr.key(2), 200)))
    np.testing.assert_allclose(jax.vmap(density.log_prob)(values), log_probs, atol=5e-3)


def test_a_masked_network_sees_what_comes_before_alone() -> None:
    made = Made(5, of_input=2, of_output=3, width=17, context=2, key=jr.key(0))
    values, context = jr.normal(jr.key(1), (10,)), jr.normal(jr.key(2), (2,))
    seen = np.abs(np.asarray(jax.jacfwd(made)(values, context))).reshape(5, 3, 5, 2).max(axis=(1, 3))
    assert (seen[np.triu_indices(5)] == 0.0).all()  # outputs of a place, inputs of it and after it
    assert (seen[np.tril_indices(5, -1)] > 0.0).all()
    of_context = np.abs(np.asarray(jax.jacfwd(made, argnums=1)(values, context))).reshape(5, 3, 2)
    assert (of_context > 0.0).all()


def test_a_planar_step_is_kept_invertible_where_u_would_fold_it() -> None:
    """Appendix A.1: u along -w, far too long; the value along w rises all the same."""
    step = PlanarStep(jnp.array([-30.0, 0.0]), jnp.array([3.0, 0.0]), jnp.float32(0.2))
    line = jnp.linspace(-5.0, 5.0, 1001)
    values = jax.vmap(lambda a: step.forward(jnp.array([a, 0.0]))[0][0])(line)
    assert float(jnp.diff(values).min()) > 0.0
    # and by hand where the constraint has no part: w.u = 3 is nearly m(3)
    step = PlanarStep(jnp.array([1.0, 2.0]), jnp.array([1.0, 1.0]), jnp.float32(0.5))
    z = np.array([0.2, -0.4])
    moved = np.log1p(np.exp(3.0)) - 1.0 + 0.01
    u = np.array([1.0, 2.0]) + (moved - 3.0) * np.array([0.5, 0.5])
    np.testing.assert_allclose(step.forward(jnp.asarray(z, jnp.float32))[0], z + u * np.tanh(-0.2 + 0.5), rtol=1e-5)


def test_steps_that_do_nothing_leave_the_gaussian() -> None:
    base = DiagonalNormal(jnp.array([0.4, -1.0]), jnp.array([-0.3, 0.8]))
    step = PlanarStep(jnp.zeros(2), jnp.zeros(2), jnp.float32(0.0))
    value = jnp.array([0.9, 0.1])
    np.testing.assert_allclose(Transformed(base, (step, step)).log_prob(value), base.log_prob(value), rtol=1e-6)


def test_a_root_is_found_to_the_last_bits() -> None:
    root = rising_root(lambda a: a**3 - 2.0, jnp.float32(0.0), jnp.float32(2.0))
    assert float(root) == pytest.approx(2.0 ** (1.0 / 3.0), rel=3e-7)
