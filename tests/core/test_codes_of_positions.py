"""Codes: FSQ against its paper by hand, VQ's averages against their recursion, and the bound that an autoregressive prior makes."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from vaelab.building import build_model
from vaelab.conditional import codebook_of
from vaelab.config import Config, ModelConfig
from vaelab.densities.codebook import CodeMass, UniformCodes
from vaelab.densities.scalar_codebook import ScalarCodebook
from vaelab.densities.vector_codebook import VectorCodebook
from vaelab.evaluation.code_use import code_use
from vaelab.families.finite_scalars import FiniteScalars
from vaelab.families.own_pace import own_optimiser
from vaelab.families.vector_codes import VectorCodes
from vaelab.fitting.autoregressive_codes import fit_autoregressive_codes
from vaelab.fitting.parts import Draws
from vaelab.kinds import POSTERIORS
from vaelab.model import Model, elbo_terms
from vaelab.priors.autoregressive_codes import AutoregressiveCodesPrior
from vaelab.priors.base import Shapes
from vaelab.priors.settings import AutoregressiveCodesPriorSettings


def scalars(levels: tuple[int, ...], size: int) -> FiniteScalars:
    return POSTERIORS.build(POSTERIORS.settings({"kind": "fsq", "levels": levels}), (size,), key=jr.key(0))


def vectors(size: int, **settings: object) -> VectorCodes:
    return POSTERIORS.build(POSTERIORS.settings({"kind": "vq", **settings}), (size,), key=jr.key(0))


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 8])
def test_a_number_takes_each_of_its_levels_and_no_other_and_0_stays_at_0(levels: int) -> None:
    """Of L levels: (0 ... L - 1) - floor(L / 2), over floor(L / 2); and the value at 0 is 0, which the shift is for."""
    family = scalars((levels,), 1)
    line = np.linspace(-12.0, 12.0, 4001, dtype=np.float32)
    found = [float(family(numbers=jnp.full((1, 1, 1), x)).centre[0]) for x in line[::40]]
    expected = (np.arange(levels) - levels // 2) / (levels // 2)
    np.testing.assert_allclose(np.unique(np.round(found, 6)), np.round(expected, 6), atol=1e-6)
    assert float(family(numbers=jnp.zeros((1, 1, 1))).centre[0]) == 0.0
    # the derivative at 0 is that of h tanh(x + s): h (1 - (o / h)^2), over floor(L / 2)
    half, offset = 0.5 * (levels - 1) * 1.001, 0.0 if levels % 2 else 0.5
    slope = jax.grad(lambda x: family(numbers=x).centre[0])(jnp.zeros((1, 1, 1)))
    assert float(slope.sum()) == pytest.approx(half * (1.0 - (offset / half) ** 2) / (levels // 2), rel=1e-3)


def test_symbols_and_values_are_one_to_one() -> None:
    book = ScalarCodebook((4, 3), 2)
    seen = set()
    for symbols in itertools.product(range(4), range(3), range(4), range(3)):
        value = book.value(jnp.array(symbols))
        np.testing.assert_array_equal(book.symbols(value), symbols)
        seen.add(tuple(np.asarray(value).tolist()))
        codes, size = book.codes(jnp.array(symbols))
        assert size == 12
        np.testing.assert_array_equal(codes[0], [3 * symbols[0] + symbols[1], 3 * symbols[2] + symbols[3]])
    assert len(seen) == 144
    learned = VectorCodebook(jr.normal(jr.key(0), (2, 5, 3)), 2)
    for symbols in itertools.product(range(5), repeat=4):
        np.testing.assert_array_equal(learned.symbols(learned.value(jnp.array(symbols))), symbols)


def test_the_nearest_vector_is_chosen_and_then_the_nearest_to_what_is_left() -> None:
    family = vectors(2 * 2 * 3, codes=7, dim=3, books=2, normalised=False)
    given = jr.normal(jr.key(4), (2, 3))
    books = np.asarray(family.codebook().books)
    left = np.asarray(given)
    expected = []
    for book in books:
        nearest = np.argmin(((left[:, None] - book[None]) ** 2).sum(axis=-1), axis=1)
        expected.append(book[nearest])
        left = left - book[nearest]
    np.testing.assert_allclose(family(vectors=given).centre.reshape(2, 2, 3), np.stack(expected, axis=1), rtol=1e-5)
    # the gradient passes straight through, once for each book
    gradient = jax.grad(lambda given: family(vectors=given).centre.sum())(given)
    np.testing.assert_allclose(gradient, 2.0, rtol=1e-5)


def test_plain_steps_at_their_own_pace_are_the_moving_averages_of_the_paper() -> None:
    """N <- 0.9 N + 0.1 n and m <- 0.9 m + 0.1 sum, averaged over a batch; van den Oord et al. 2017, appendix A.1."""
    family = vectors(4 * 2, codes=3, dim=2, normalised=False)
    shares, sums = np.asarray(family.shares[0], np.float64), np.asarray(family.sums[0], np.float64)
    optimiser = own_optimiser()
    state = optimiser.init(eqx.filter(family, eqx.is_array))
    for step in range(4):
        batch = 0.5 * jr.normal(jr.fold_in(jr.key(1), step), (6, 2, 2, 2))

        def loss(family: VectorCodes, batch: jax.Array = batch) -> jax.Array:
            lessons = jax.vmap(lambda one: family(vectors=one).lesson)(batch)
            assert lessons is not None
            return lessons.mean()

        value, gradient = eqx.filter_value_and_grad(loss)(family)
        assert float(value) == 0.0
        rows = np.asarray(batch, np.float64).reshape(-1, 2)
        codes = sums / shares[:, None]
        chosen = np.argmin(((rows[:, None] - codes[None]) ** 2).sum(axis=-1), axis=1)
        hot = np.eye(3)[chosen]
        shares = 0.9 * shares + 0.1 * hot.mean(axis=0)
        sums = 0.9 * sums + 0.1 * hot.T @ rows / len(rows)
        moved, state = optimiser.update(gradient, state)
        family = optax.apply_updates(family, moved)
        np.testing.assert_allclose(family.shares[0], shares, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(family.sums[0], sums, rtol=1e-4, atol=1e-6)


def test_the_encoder_is_held_to_its_codes_by_the_commitment() -> None:
    family = vectors(2 * 3, codes=5, dim=3, normalised=False, commitment=0.25)
    given = jr.normal(jr.key(2), (2, 3))
    gradient = jax.grad(lambda given: family(vectors=given).lesson)(given)
    expected = 0.25 * 2.0 * (given - family(vectors=given).centre.reshape(2, 3))
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def autoregressive(book: ScalarCodebook) -> AutoregressiveCodesPrior:
    settings = AutoregressiveCodesPriorSettings(alphabets=book.alphabets, letter_dim=1, width=9)
    prior = AutoregressiveCodesPrior.build(settings, Shapes(len(book.alphabets)), key=jr.key(3))
    assert AutoregressiveCodesPrior.build(prior.settings(), Shapes(len(book.alphabets)), key=jr.key(3)).alphabets
    return eqx.tree_at(
        lambda it: (it.network.write, it.table, it.bias),
        prior,
        replace_fn=lambda leaf: leaf + jr.normal(jr.key(9), leaf.shape),
    )


def test_masses_add_up_to_one_and_draws_are_as_frequent_as_they_say() -> None:
    """All 144 values of a small codebook."""
    book = ScalarCodebook((4, 3), 2)
    values = jax.vmap(book.value)(jnp.array(list(itertools.product(range(4), range(3), range(4), range(3)))))
    for density in (UniformCodes(book), autoregressive(book).over(book)):
        masses = np.exp(np.asarray(jax.vmap(density.log_prob)(values), np.float64))
        assert masses.sum() == pytest.approx(1.0, abs=1e-5)
        draws = np.asarray(jax.jit(jax.vmap(density.sample))(jr.split(jr.key(5), 20_000)))
        counted = np.array([(draws == np.asarray(value)).all(axis=1).sum() for value in values])
        assert counted.sum() == 20_000
        chi = ((counted - 20_000 * masses) ** 2 / (20_000 * masses + 1e-9))[masses > 5e-4].sum()
        assert chi < (masses > 5e-4).sum() + 6.0 * math.sqrt(2.0 * 144)
    mass = CodeMass(values[7], book, None)
    found = np.asarray(jax.vmap(mass.log_prob)(values))
    assert found[7] == 0.0
    assert np.isneginf(np.delete(found, 7)).all()


def model_of_codes(posterior: dict[str, object], latent_dim: int) -> Model:
    values = {
        "latent_dim": latent_dim, "image_shape": (4, 5), "encoder": {"hidden": (8,)}, "decoder": {"hidden": (8,)},
        "posterior": posterior, "prior": {"kind": "uniform-codes"},
    }  # fmt: skip
    return build_model(ModelConfig.model_validate(values), jr.key(0))


@pytest.mark.parametrize("posterior", [{"kind": "fsq", "levels": (3, 2)}, {"kind": "vq", "codes": 4, "dim": 2}])
def test_the_elbo_is_a_lower_bound_on_log_p_of_x_summed_over_all_codes(posterior: dict[str, object]) -> None:
    model = model_of_codes(posterior, 4)
    image = jr.uniform(jr.key(1), (4, 5)).round()
    book = codebook_of(model.encoder)
    every = jnp.array(list(itertools.product(*map(range, book.alphabets))))
    values = jax.vmap(book.value)(every)
    prior = model.prior_density()
    joint = jax.vmap(lambda z: model.likelihood(z).log_prob(image) + prior.log_prob(z))(values)
    terms = elbo_terms(model, prior, image, jr.key(2))
    assert float(terms.rate) == pytest.approx(math.log(len(every)), rel=1e-5)
    bound = float(terms.reconstruction - terms.rate)
    assert terms.log_weight is not None
    assert bound == pytest.approx(float(terms.log_weight), rel=1e-5)
    assert bound < float(jax.nn.logsumexp(joint))
    assert np.min(np.abs(np.asarray(joint) - bound)) < 1e-4  # it is that of one of the codes


def test_use_and_perplexity_of_a_code_chosen_thrice_as_often_as_another() -> None:
    model = model_of_codes({"kind": "fsq", "levels": (3, 2)}, 4)
    book = codebook_of(model.encoder)
    rows = jnp.array([[0, 0, 0, 0], [0, 0, 2, 1]])
    use = code_use(model, np.asarray(jax.vmap(book.value)(rows)))
    assert (use.codes, use.positions, use.books) == (6, 2, 1)
    assert use.usage == pytest.approx(2 / 6)
    assert use.perplexity == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))


def test_a_fitted_prior_comes_near_the_entropy_of_a_chain() -> None:
    """Symbols that repeat the last with probability 0.9: log 2 + 7 H(0.1) nats, where a prior of independent symbols has 8 log 2."""
    book = ScalarCodebook((2,), 8)
    generator = np.random.default_rng(0)

    def chains(count: int) -> np.ndarray:
        flips = generator.random((count, 8)) < np.r_[0.5, np.full(7, 0.1)]
        return np.asarray(jax.vmap(book.value)(jnp.asarray(np.cumsum(flips, axis=1) % 2)))

    fit = fit_autoregressive_codes(Draws(chains(4000), chains(1000)), codebook=book, width=32, rounds=20)
    entropy = math.log(2.0) - 7 * (0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    assert fit.tried[0][1] == pytest.approx(-entropy, abs=0.15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.posterior.kind": "vq", "model.posterior.codes": 1}, "greater than or equal to 2"),
        ({"model.posterior.kind": "fsq", "model.posterior.levels": [1]}, "greater than or equal to 2"),
        (
            {"model.posterior.kind": "fsq", "model.prior.kind": "uniform-codes", "model.latent_dim": 10},
            "a position has 4 numbers, so it is a multiple of that; found 10. 64 makes a map of 4 x 4",
        ),
        ({"model.posterior.kind": "vq", "model.latent_dim": 64}, "lives in: codes, .*; use model.prior.kind = 'uniform-codes'"),
        (
            {"model.posterior.kind": "vq", "model.latent_dim": 64, "model.prior.kind": "uniform-codes", "model.condition": "labels"},
            "no prior over codes for each label",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_clear_line(changes: dict[str, object], words: str) -> None:
    from vaelab.errors import VaelabError

    with pytest.raises(VaelabError, match=words) as caught:
        Config().with_values(changes)
    assert "\n" not in str(caught.value)
