"""Draws from the prior."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Float32, Int32, UInt32

from vaelab.batching import in_batches
from vaelab.densities import AbstractDensity, DiagonalNormal, FullNormal, Mixture
from vaelab.door import in_words
from vaelab.errors import VaelabError
from vaelab.labels import check_known
from vaelab.language import translated
from vaelab.model import Model
from vaelab.priors.by_label import ChosenDensity, DensityByLabel


def can_sample(model: Model) -> bool:
    """False for an autoencoder without a fitted prior: nothing made its codes follow N(0, I)."""
    return model.has_density or not model.prior.settings().is_fixed


class Drawn(NamedTuple):
    """Points to decode, and the label of each: of a model or a prior that knows labels, where they were drawn too."""

    z: Float32[np.ndarray, "count latent"]
    labels: Int32[np.ndarray, " count"] | None


def sampled(
    model: Model,
    count: int,
    *,
    seed: int = 0,
    label: int | None = None,
    balanced: bool = False,
    temperature: float = 1.0,
) -> Drawn:
    """`count` draws to decode: of a conditional model y ~ p(y), the frequencies of its training labels, and z ~ p(z|y).

    Of one `label`, all of that; `balanced`, each label in turn, so equally often. A model that sees no labels, under a prior that does,
    draws by label where one is asked for. Draw i depends on the seed, on i and on its label alone.

    Raises:
        VaelabError: as `sample_latents`; for `balanced` draws where nothing knows labels, or of one label.
    """
    if balanced:
        if label is not None:
            raise VaelabError(
                translated("balanced draws are of every label, and one label was asked for; leave one of the two out")
            )
        known = known_labels(model)
        if known is None:
            raise VaelabError(no_labels())
        labels = np.resize(np.asarray(known, np.int32), count)
    elif label is not None:
        check_label(model, label)
        labels = np.full(count, label, np.int32)
    elif model.is_conditional:
        # by NumPy, and one number a draw: the first of more draws are those of fewer
        shares = np.cumsum(np.exp(np.asarray(model.log_frequencies, np.float64)))
        uniform = np.random.default_rng([seed, 1]).random(count)
        labels = np.searchsorted(shares / shares[-1], uniform, side="right").astype(np.int32)
    else:
        return Drawn(sample_latents(model, count, seed=seed, temperature=temperature), None)
    # a prior that has one density for all labels is drawn from once
    each = np.unique(labels).tolist() if knows_labels(model) else []
    if not each:
        return Drawn(sample_latents(model, count, seed=seed, temperature=temperature), labels)
    z = np.empty((count, model.latent_dim), np.float32)
    for one in each:
        z[labels == one] = sample_latents(model, count, seed=seed, label=one, temperature=temperature)[labels == one]
    return Drawn(z, labels)


def known_labels(model: Model) -> tuple[int, ...] | None:
    """The labels that may be asked for: a conditional model's, or its prior's; None where neither knows of any."""
    return model.labels if model.is_conditional else model.prior.labels


def knows_labels(model: Model) -> bool:
    """Whether p(z|y) is another density for each label y."""
    return model.prior.labels is not None or (model.is_conditional and model.prior.reads_encoder)


def sample_latents(
    model: Model, count: int, *, seed: int = 0, label: int | None = None, temperature: float = 1.0
) -> Float32[np.ndarray, "count latent"]:
    """`count` draws z ~ p(z), or z ~ p(z | label) where the prior knows labels. Draw i depends on the seed and on i
    alone. Of a conditional model `sampled` draws the labels as well.

    `temperature` multiplies the standard deviation of each Gaussian that the prior is made of (Kingma and Dhariwal,
    "Glow", 2018, section 6): below 1 the draws keep to the middle, and are more alike.

    Raises:
        VaelabError: for an autoencoder without a fitted prior, a label that the prior does not know, a temperature that
        is not
            positive, or one other than 1 for a prior that is not made of Gaussians.
    """
    if not can_sample(model):
        raise VaelabError(
            translated("an autoencoder has no prior to sample from: nothing made its codes follow N(0, I)")
        )
    density = model.prior_density()
    if label is not None:
        check_label(model, label)
        density = density.given(jnp.asarray(label))
    if temperature != 1.0:
        density = tempered(density, temperature)
    if isinstance(density, DiagonalNormal):
        # by NumPy: a compiled program with random numbers takes a second to build, and this one would be run once
        noise = np.random.default_rng(seed).standard_normal((count, model.latent_dim), np.float32)
        return np.asarray(density.mean) + np.asarray(density.standard_deviation) * noise
    places = np.arange(count, dtype=np.uint32)
    key = jr.key(seed)
    return in_batches(lambda which: _draws(density, which, key), places, features=model.latent_dim)


def check_label(model: Model, label: int, names: Sequence[str] | None = None) -> None:
    """Refuse a label that the model was not trained with, or the prior has no density for; `names[label]` is what the user calls it,
    where it has a name.

    Raises:
        VaelabError: saying which labels it knows, or how to get a prior that knows some.
    """
    if model.is_conditional:
        check_known(model, label, names)
        return
    known = model.prior.labels
    if known is None:
        raise VaelabError(no_labels())
    if label not in known:

        def name(number: int) -> str:
            return names[number] if names is not None and number < len(names) else str(number)

        raise VaelabError(
            translated(
                "label {name}: the prior was fitted to none such; known: {known}",
                name=name(label),
                known=", ".join(map(name, known)),
            )
        )


def no_labels() -> str:
    """What is said where a label is asked for and nothing knows of labels."""
    return in_words(
        command=translated(
            "--label: this prior does not know of labels; fit one that does with: vaelab fit-prior RUN "
            "mixture --by-class, then choose it with --prior"
        ),
        python=translated(
            "y: this prior does not know of labels; fit one that does with: vae.fit_prior('mixture', by_class=True)"
        ),
    )


def tempered(density: AbstractDensity, temperature: float) -> AbstractDensity:
    """The density with the standard deviations of its Gaussians multiplied by the temperature.

    Raises:
        VaelabError: where it is not made of Gaussians, or the temperature is not positive.
    """
    if not temperature > 0.0:
        raise VaelabError(
            translated("temperature: expected a positive number; found {temperature:g}", temperature=temperature)
        )
    if isinstance(density, DiagonalNormal):
        wider = density.log_variance + 2.0 * float(np.log(temperature))
        return eqx.tree_at(lambda normal: normal.log_variance, density, wider)
    if isinstance(density, FullNormal):
        return eqx.tree_at(lambda normal: normal.scale, density, density.scale * temperature)
    if isinstance(density, DensityByLabel):
        return DensityByLabel(density.log_frequencies, tuple(tempered(each, temperature) for each in density.densities))
    if isinstance(density, ChosenDensity):
        return ChosenDensity(density.label, tuple(tempered(each, temperature) for each in density.densities))
    if isinstance(density, Mixture):
        return Mixture(density.log_weights, tempered(density.components, temperature))
    raise VaelabError(translated("temperature: only a prior made of Gaussians has one; leave it out"))


@eqx.filter_jit
def _draws(density: AbstractDensity, places: UInt32[np.ndarray | Array, " n"], key: Array) -> Float[Array, "n latent"]:
    return jax.vmap(lambda place: density.sample(jr.fold_in(key, place)))(jnp.asarray(places))
