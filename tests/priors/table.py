"""One table of all priors, trained and fitted, with parameters that are nothing special: every law runs over every row."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from scipy import stats

from vaelab.building import build_model
from vaelab.config import ModelConfig
from vaelab.densities import AbstractDensity
from vaelab.model import Model
from vaelab.priors.base import AbstractPrior
from vaelab.priors.by_class import ByClassPrior
from vaelab.priors.flow import FlowArchitecture, FlowPrior
from vaelab.priors.kernel import KernelPrior
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.normal import NormalPrior
from vaelab.priors.per_class import ClassPrior
from vaelab.priors.second_stage import SecondStageArchitecture, SecondStagePrior, quadrature_density
from vaelab.priors.vamp import VampPrior

KEY = jr.key(7)


@lru_cache
def model_of(latent_dim: int) -> Model:
    """A small untrained model of 4 x 4 images, for the VampPrior to encode with."""
    config = ModelConfig.model_validate({"latent_dim": latent_dim, "image_shape": (4, 4), "encoder": {"hidden": (8,)}})
    model = build_model(config, jr.key(3))
    # an untrained encoder gives posteriors near N(0, I): these are apart, and of several widths
    where = lambda model: (model.encoder.heads["mean"].weight, model.encoder.heads["log_variance"].bias)  # noqa: E731
    values = (2.0 * model.encoder.heads["mean"].weight, jnp.linspace(-1.5, -1.2, latent_dim))
    return eqx.tree_at(where, model, values)


def shaken(prior: AbstractPrior, amount: float) -> AbstractPrior:
    """The prior with noise on all that is trained."""
    parameters, fixed = eqx.partition(prior, prior.trainable())
    leaves, structure = jax.tree.flatten(parameters)
    keys = jr.split(KEY, max(len(leaves), 1))
    moved = [leaf + amount * jr.normal(key, leaf.shape) for leaf, key in zip(leaves, keys, strict=False)]
    return eqx.combine(jax.tree.unflatten(structure, moved), fixed)


def mixture(size: int) -> AbstractPrior:
    return shaken(MixturePrior(size, 4, "diagonal", key=KEY), 0.3)


def full_mixture(size: int) -> AbstractPrior:
    return shaken(MixturePrior(size, 4, "full", key=KEY), 0.3)


def class_prior(size: int) -> AbstractPrior:
    labels = np.array([0, 0, 1, 3, 3, 3])  # label 2 does not occur
    prior = ClassPrior(size, 4, key=KEY).started_from(np.zeros((6, 4, 4), np.uint8), labels, key=KEY)
    return shaken(prior, 0.3)


def vamp(size: int) -> AbstractPrior:
    prior = VampPrior(size, 5, (4, 4), key=KEY)
    return eqx.tree_at(lambda prior: prior.pseudo_inputs, prior, jr.uniform(KEY, (5, 4, 4), minval=-0.2, maxval=1.2))


def flow(kind: str) -> Callable[[int], AbstractPrior]:
    def build(size: int) -> AbstractPrior:
        prior = shaken(FlowPrior(FlowArchitecture(size, kind, layers=2, width=8, knots=4), key=KEY), 0.2)
        return prior.with_scale(np.linspace(-0.5, 0.5, size), np.linspace(0.7, 1.2, size))

    return build


def kernel(size: int) -> AbstractPrior:
    # more than one chunk of points
    return KernelPrior(jr.normal(KEY, (700, size)) * jnp.linspace(0.5, 1.0, size)[None], jnp.linspace(0.2, 0.4, size))


def second_stage(size: int) -> AbstractPrior:
    prior = shaken(SecondStagePrior(SecondStageArchitecture(size, width=8), key=KEY), 0.05)
    return eqx.tree_at(lambda prior: prior.decoder.family.free_scale, prior, jnp.asarray(-0.3))


def by_class(size: int) -> AbstractPrior:
    parts = (mixture(size), NormalPrior(size), kernel(size))
    return ByClassPrior(parts, jnp.log(jnp.array([0.5, 0.0, 0.5])))


class Row(NamedTuple):
    build: Callable[[int], AbstractPrior]
    scoring: str = "any"


TABLE: dict[str, Row] = {
    "normal": Row(NormalPrior),
    "mixture": Row(mixture),
    "full mixture": Row(full_mixture),
    "vamp": Row(vamp),
    "class": Row(class_prior),
    "coupling flow": Row(flow("coupling")),
    "masked autoregressive flow": Row(flow("masked-autoregressive")),
    "kernel": Row(kernel, "quadrature"),
    "second stage": Row(second_stage, "quadrature"),
    "by class": Row(by_class, "quadrature"),
}


@lru_cache
def prior_of(name: str, size: int) -> AbstractPrior:
    return TABLE[name].build(size)


def density_of(name: str, size: int) -> AbstractDensity:
    prior = prior_of(name, size)
    if isinstance(prior, SecondStagePrior) and size <= 2:
        # its gamma is wide, so that few nodes do; what density() does is tested for itself
        return quadrature_density(prior, 60)
    return prior.density(model_of(size).encoder)


CHUNK = 1600
LOG_PROBS = jax.jit(lambda density, values: jax.vmap(density.log_prob)(values))
SAMPLES = jax.jit(lambda density, key, count: jax.vmap(density.sample)(jr.split(key, count)), static_argnums=2)


def log_probs(density: AbstractDensity, values: np.ndarray) -> np.ndarray:
    """In chunks of one size, so that each density is compiled once for all laws."""
    count = len(values)
    filled = np.concatenate([values, np.repeat(values[-1:], -count % CHUNK, axis=0)]).astype(np.float32)
    parts = [LOG_PROBS(density, jnp.asarray(part)) for part in filled.reshape(-1, CHUNK, values.shape[1])]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])[:count]


@lru_cache
def samples_of(name: str, size: int) -> np.ndarray:
    return np.asarray(SAMPLES(density_of(name, size), jr.key(11), 4000))


HALF, CELLS, COARSE = 8.0, 240, 24


@lru_cache
def cell_masses(name: str) -> np.ndarray:
    """The mass of each cell of a grid over [-8, 8]^2, by the midpoint rule."""
    axis = (np.arange(CELLS) + 0.5) / CELLS * 2 * HALF - HALF
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.exp(log_probs(density_of(name, 2), grid)).reshape(CELLS, CELLS) * (2 * HALF / CELLS) ** 2


def goodness_of_fit(masses: np.ndarray, samples: np.ndarray) -> float:
    """The p-value of a chi-square test of samples against cell masses, cells of few expected samples pooled."""
    step = CELLS // COARSE
    expected = masses.reshape(COARSE, step, COARSE, step).sum(axis=(1, 3)).ravel() * len(samples)
    edges = np.linspace(-HALF, HALF, COARSE + 1)
    observed = np.histogram2d(samples[:, 0], samples[:, 1], bins=(edges, edges))[0].ravel()
    many = expected >= 8
    expected = np.append(expected[many], len(samples) - expected[many].sum())
    observed = np.append(observed[many], len(samples) - observed[many].sum())
    return float(stats.chi2.sf(((observed - expected) ** 2 / np.maximum(expected, 1.0)).sum(), many.sum()))
