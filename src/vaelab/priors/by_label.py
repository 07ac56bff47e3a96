"""A density for each label, and their mixture."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vaelab.densities import AbstractDensity, Mixture, rows_of
from vaelab.errors import VaelabError
from vaelab.language import translated


class DensityByLabel(AbstractDensity):
    """p(z) = sum_y pi_y p_y(z), with pi_y the frequency of label y among the training images; `given(y)` is p_y.

    Scoring an image without its label uses the mixture, so a test label can never leak into log p(x).
    """

    log_frequencies: Float[Array, " labels"]
    densities: tuple[AbstractDensity, ...]

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        each = jnp.stack([density.log_prob(value) for density in self.densities])
        return jax.nn.logsumexp(self.log_frequencies + each)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        label_key, value_key = jr.split(key)
        label = jr.categorical(label_key, self.log_frequencies)
        return ChosenDensity(label, self.densities).sample(value_key)

    def given(self, condition: Array | int | None) -> AbstractDensity:
        return self if condition is None else ChosenDensity(jnp.asarray(condition), self.densities)


class ChosenDensity(AbstractDensity):
    """The `label`-th of several densities; the label may be traced."""

    label: Int[Array, ""]
    densities: tuple[AbstractDensity, ...]

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        return jax.lax.switch(self.label, [partial(_log_prob, density) for density in self.densities], value)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        return jax.lax.switch(self.label, [partial(_sample, density) for density in self.densities], key)


# a switch compares its branches, and a bound method of a module is compared by its arrays, which have no hash


def _log_prob(density: AbstractDensity, value: Array) -> Array:
    return density.log_prob(value)


def _sample(density: AbstractDensity, key: PRNGKeyArray) -> Array:
    return density.sample(key)


class ClassDensity(AbstractDensity):
    """The mixture over labels; `given(label)` is that label's Gaussian."""

    mixture: Mixture

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        return self.mixture.log_prob(value)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        return self.mixture.sample(key)

    def given(self, condition: Array | int | None) -> AbstractDensity:
        if condition is None:
            return self
        return rows_of(self.mixture.components, condition)


def class_count(labels: np.ndarray | Array | None) -> int:
    """How many classes the training labels 0, 1, … name.

    Raises:
        VaelabError: where there are no labels, or negative ones.
    """
    if labels is None:
        raise VaelabError(
            translated(
                "a prior with a density for each class needs labels, and these data have none; choose another prior"
            )
        )
    lowest = int(np.min(labels))
    if lowest < 0:
        raise VaelabError(
            translated("labels must be 0, 1, 2, …; found {lowest}. Number the classes from 0", lowest=lowest)
        )
    return int(np.max(labels)) + 1


def log_frequencies(labels: np.ndarray | Array | None, classes: int) -> Float[np.ndarray, " labels"]:
    """Log of the share of each label; -inf for one that does not occur.

    Raises:
        VaelabError: for a label beyond the number of classes.
    """
    found = class_count(labels)
    if found > classes:
        raise VaelabError(
            translated(
                "the prior has {classes} classes; found the label {value}. Leave model.prior.classes out, and it is counted",
                classes=classes,
                value=found - 1,
            )
        )
    counts = np.bincount(np.asarray(labels), minlength=classes)
    with np.errstate(divide="ignore"):
        return np.log(counts / counts.sum()).astype(np.float32)
