"""Laws of families of q(z|x) and p(x|z): what a density needs, what it scores, what it draws, where it begins."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array

from laws.table import IMAGE, KEY, LIKELIHOOD_SETTINGS, POSTERIOR_SETTINGS, likelihood_of, model_of, posterior_of
from vaelab.conditional import ConditionalDensity
from vaelab.densities import AbstractCentredDensity
from vaelab.errors import VaelabError
from vaelab.families.base import AbstractFamily
from vaelab.networks.mlp import Mlp

ALL = [("posterior", name) for name in POSTERIOR_SETTINGS] + [("likelihood", name) for name in LIKELIHOOD_SETTINGS]


def family_of(what: str, name: str) -> AbstractFamily:
    return posterior_of(name) if what == "posterior" else likelihood_of(name)


def density_of(family: AbstractFamily):
    """One of its densities, by numbers that are nothing special."""
    shapes = family.parameters()
    return family(
        **{
            name: 0.5 * jr.normal(key, shape)
            for (name, shape), key in zip(shapes.items(), jr.split(KEY, 9), strict=False)
        }
    )


def value_of(family: AbstractFamily) -> Array:
    """A value that it scores."""
    uniform = jr.uniform(KEY, (family.space.size,))
    if family.support.levels == 2:
        uniform = (uniform > 0.5).astype(jnp.float32)
    if family.support.levels == 256:
        uniform = jnp.round(uniform * 255) / 255
    if family.support.domain == "sphere":
        return uniform / jnp.linalg.norm(uniform)
    return family.space.back(uniform if family.support.is_unit else 3.0 * uniform - 1.0)


@pytest.mark.parametrize(("what", "name"), ALL)
def test_centre_and_draws_lie_in_its_space_and_its_support(what: str, name: str) -> None:
    family = family_of(what, name)
    density = density_of(family)
    draws = jax.vmap(density.sample)(jr.split(KEY, 50))
    assert density.centre.shape == family.space.shape
    assert draws.shape == (50, *family.space.shape)
    if family.support.is_unit:
        assert float(draws.min()) >= 0.0
        assert float(draws.max()) <= 1.0
        assert 0.0 <= float(density.centre.min()) <= float(density.centre.max()) <= 1.0
    if family.support.levels is not None:
        assert family.support.scores(np.asarray(draws))


@pytest.mark.parametrize(("what", "name"), ALL)
def test_draws_have_the_centre_for_their_mean_and_the_variance_that_it_says(what: str, name: str) -> None:
    density = density_of(family_of(what, name))
    draws = np.asarray(jax.jit(jax.vmap(density.sample))(jr.split(KEY, 20_000)))
    spread = draws.std(axis=0)
    if density.centre_is_mean:
        np.testing.assert_allclose(
            draws.mean(axis=0), density.centre, atol=float(5.0 * spread.max() / 20_000**0.5) + 1e-3
        )
    else:  # of a flow the mean has no closed form, and on a sphere it lies within; the centre is then among the likelier values
        own = jax.vmap(density.log_prob)(draws[:2000])
        assert float(density.log_prob(density.centre)) > float(np.median(own))
    if density.marginal_log_variance is not None:
        np.testing.assert_allclose(draws.var(axis=0), np.exp(density.marginal_log_variance), rtol=0.06)


@pytest.mark.parametrize(("what", "name"), ALL)
def test_log_prob_is_that_of_the_draws(what: str, name: str) -> None:
    """Gibbs: no other density scores its draws better than it does; and one pass gives what two give."""
    family = family_of(what, name)
    density = density_of(family)
    if not density.has_density:
        with pytest.raises(TypeError):
            density.log_prob(value_of(family))
        return
    draws = jax.vmap(density.sample)(jr.split(KEY, 4000))
    own = jax.vmap(density.log_prob)(draws)
    for factor in (0.7, 1.4):
        shapes = family.parameters()
        keys = jr.split(KEY, 9)
        other = family(
            **{n: factor * 0.5 * jr.normal(k, s) + 0.3 for (n, s), k in zip(shapes.items(), keys, strict=False)}
        )
        gain = np.minimum(np.asarray(own - jax.vmap(other.log_prob)(draws)), 1e6)  # of masses at two codes infinite
        assert gain.mean() >= -3.0 * gain.std() / 4000**0.5
        assert gain.mean() > 0.0 or family.support.domain == "codes"  # two masses may lie at one code
    value, log_prob = density.sample_and_log_prob(KEY)
    np.testing.assert_array_equal(value, density.sample(KEY))
    # a flow's second way goes back through all steps
    np.testing.assert_allclose(
        log_prob, density.log_prob(value), rtol=1e-4 if density.draws_and_scores_at_once else 1e-6
    )


@pytest.mark.parametrize(("what", "name"), ALL)
def test_gradients_are_finite_even_for_large_numbers(what: str, name: str) -> None:
    family = family_of(what, name)
    if not density_of(family).has_density:
        pytest.skip("no density")
    value = value_of(family)
    for size in (1.0, 30.0, 300.0):
        numbers = {n: size * jr.normal(KEY, shape) for n, shape in family.parameters().items()}
        if family.support.domain == "codes":  # all others have no mass
            value = family(**numbers).centre
        score, gradient = jax.value_and_grad(lambda numbers, value: family(**numbers).log_prob(value))(numbers, value)
        assert np.isfinite(score)
        for leaf in jax.tree.leaves(gradient):
            assert np.isfinite(leaf).all()


@pytest.mark.parametrize("name", LIKELIHOOD_SETTINGS)
def test_of_what_is_seen_alone_the_rest_has_no_part(name: str) -> None:
    """All seen it is the density, nothing seen it is 1, and the two halves of independent entries add up."""
    family = likelihood_of(name)
    density, value = density_of(family), value_of(family)
    nothing = jnp.zeros(IMAGE)
    if (
        type(density).log_prob_where is AbstractCentredDensity.log_prob_where
    ):  # it may be left out, and says so where it is asked
        with pytest.raises(VaelabError, match="does not say how likely a part of an image is"):
            density.log_prob_where(nothing, value)
        return
    half = nothing.at[:2].set(1.0)
    np.testing.assert_allclose(density.log_prob_where(nothing + 1.0, value), density.log_prob(value), rtol=1e-5)
    assert float(density.log_prob_where(nothing, value)) == pytest.approx(0.0, abs=1e-5)
    parts = density.log_prob_where(half, value) + density.log_prob_where(1.0 - half, value)
    np.testing.assert_allclose(parts, density.log_prob(value), rtol=1e-5)
    other = jnp.where(half > 0.0, value, jnp.roll(value, 1))
    assert density.log_prob_where(half, value) == density.log_prob_where(half, other)


@pytest.mark.parametrize("name", LIKELIHOOD_SETTINGS)
def test_begun_at_a_picture_it_shows_that_picture(name: str) -> None:
    """Exactly, or as near as a mean that is no logistic of its logits comes."""
    family = likelihood_of(name)
    decoder = ConditionalDensity(Mlp((3,), (4,), "relu", key=KEY), family, key=KEY)
    picture = jnp.linspace(0.1, 0.9, family.space.size).reshape(IMAGE)
    begun = decoder.centred_at(picture).blind()
    z = jnp.array([0.3, -2.0, 5.0])
    np.testing.assert_allclose(begun(z).centre, picture, atol=1e-5 if name != "continuous-bernoulli" else 0.25)
    np.testing.assert_array_equal(begun(z).centre, begun(-z).centre)


@pytest.mark.parametrize("likelihood", LIKELIHOOD_SETTINGS)
@pytest.mark.parametrize("posterior", POSTERIOR_SETTINGS)
def test_as_parts_of_a_model_every_weight_moves(posterior: str, likelihood: str) -> None:
    """log p(x|z) at draws of q(z|x), and where there is a density log q: no weight without a gradient."""
    model = model_of(posterior, likelihood, "mlp, tanh")  # of ReLUs one may be dead
    image = value_of(likelihood_of(likelihood))

    def loss(model) -> Array:
        density = model.posterior(image)
        z = density.sample(KEY)
        own = density.log_prob(z) if density.has_density else 0.0
        own = own if density.lesson is None else own - density.lesson
        return model.likelihood(z).log_prob(image) + own

    gradient = eqx.filter_grad(loss)(model)
    for leaf in jax.tree.leaves((gradient.encoder, gradient.decoder)):
        assert np.isfinite(leaf).all()
        assert np.abs(leaf).max() > 0.0
