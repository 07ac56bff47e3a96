"""A trained model and its training images in, a prior out."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Int, PRNGKeyArray

from vaelab.conditional import codebook_of
from vaelab.densities import standard_normal
from vaelab.densities.codebook import AbstractCodebook
from vaelab.door import flag, option
from vaelab.errors import VaelabError
from vaelab.fitting.draws import posterior_draws
from vaelab.fitting.fitted import Fit, FittedPrior
from vaelab.fitting.names import check_domain, check_kind, fit_of
from vaelab.fitting.parts import LEARNT_BY_HEART, MOST_FITTED, Draws, chosen_images, log_probs
from vaelab.language import to_translate, translated
from vaelab.model import Model
from vaelab.pixels import Pixels
from vaelab.priors.by_class import ByClassPrior
from vaelab.priors.by_label import class_count, log_frequencies
from vaelab.priors.normal import NormalPrior

FEWEST_IMAGES = 10
"""Of one class, or in all, below which no density is fitted."""


def fit_prior(
    model: Model,
    images: np.ndarray,
    kind: str = "mixture",
    *,
    labels: Int[np.ndarray, " images"] | None = None,
    by_class: bool = False,
    components: int | None = None,
    pixels: Pixels = "grey",
    seed: int = 0,
    label_names: Sequence[str] | None = None,
) -> FittedPrior:
    """Fit a density to fresh draws from q(z|x) of training images: an ex-post prior for the model.

    Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020, section 4; the second stage is that of Dai and Wipf,
    "Diagnosing and enhancing VAE models", ICLR 2019. Whatever is chosen (components, bandwidth, when to stop) is chosen by the
    log-likelihood of draws of other images, a fifth of those given.

    Args:
        model: a trained model; an autoencoder's codes serve as draws.
        images: training images, uint8 or floating point, (n, *image_shape); a random 25,000 of them are used at most, but all by a
            flow or a second stage in more than two dimensions, with fresh draws in every round.
        kind: mixture, kde, flow or second-stage.
        labels: needed for `by_class`.
        label_names: of the labels 0, 1, ..., for what is said.
        by_class: one density for each class, and their mixture by frequency; `prior.density().given(label)` is a class's.
        components: of a mixture, instead of choosing.
        pixels: the treatment that the model was trained with.
        seed: of the draws, of which images are held out, and of what is random in the fit.

    Raises:
        VaelabError: for an unknown kind, too few images, or labels that are missing.
    """
    check_kind(kind)
    check_domain(kind, model.domain)
    if components is not None and "components" not in signature(fit_of(kind)).parameters:
        raise VaelabError(
            translated(
                "{flag} is a mixture's; a {kind} prior has none. Leave it out", flag=flag("components"), kind=kind
            )
        )
    if by_class and model.domain == "codes":
        raise VaelabError(
            translated("{option}: a prior over codes is fitted to all images; leave it out", option=option("by_class"))
        )
    if by_class and labels is None:
        raise VaelabError(
            translated("{option} needs labels, and these data have none; leave it out", option=option("by_class"))
        )
    if len(images) < max(FEWEST_IMAGES, components or 0):
        wanted = max(FEWEST_IMAGES, components or 0)
        raise VaelabError(
            translated(
                "a {kind} prior needs {wanted} images at least; found {images}. Give more, or fewer {flag}",
                kind=kind,
                wanted=wanted,
                images=len(images),
                flag=flag("components"),
            )
        )
    begun = time.monotonic()
    generator = np.random.default_rng(seed)
    all_places, held_out_places = chosen_images(len(images), generator)
    # codes are the same in every round: all at once, where draws are taken anew
    fitted_places = all_places if model.domain == "codes" else all_places[:MOST_FITTED]
    fitted_key, held_out_key = jr.split(jr.key(seed))

    def of(places: np.ndarray) -> np.ndarray | None:
        return None if labels is None else labels[places]

    def fresh_of(places: np.ndarray) -> Callable[[PRNGKeyArray], np.ndarray] | None:
        if model.latent_dim <= LEARNT_BY_HEART or model.domain == "codes":
            return None
        return lambda key: posterior_draws(model, images[places], pixels, of(places), key=key)

    draws = Draws(
        posterior_draws(model, images[fitted_places], pixels, of(fitted_places), key=fitted_key),
        posterior_draws(model, images[held_out_places], pixels, of(held_out_places), key=held_out_key),
        fresh_of(all_places),
    )
    if by_class:
        assert labels is not None
        of_class = {
            label: Draws(
                draws.fitted[labels[fitted_places] == label],
                draws.held_out[labels[held_out_places] == label],
                fresh_of(all_places[labels[all_places] == label]),
            )
            for label in np.unique(labels).tolist()
        }
        fit = _fit_each_class(of_class, kind, labels, components, seed, label_names)
    else:
        book = codebook_of(model.encoder) if model.domain == "codes" else None
        fit = _fit_one(draws, kind, components, seed, book)
    held_out = log_probs(fit.prior.density(model.encoder), draws.held_out)
    on_reals = model.domain == "reals"
    beside = standard_normal(model.latent_dim) if on_reals else model.prior_density()
    normal = log_probs(beside, draws.held_out)
    gain = held_out - normal
    return FittedPrior(
        prior=fit.prior,
        kind=kind,
        words=fit.words,
        chosen=fit.chosen,
        tried=fit.tried,
        notes=fit.notes,
        images=len(draws.fitted),
        held_out_images=len(draws.held_out),
        held_out=float(held_out.mean()),
        normal=float(normal.mean()),
        beside="N(0, I)" if on_reals else to_translate("the prior that it was trained with"),
        gain=float(gain.mean()),
        gain_standard_error=float(gain.std(ddof=1) / np.sqrt(len(gain))),
        seed=seed,
        seconds=time.monotonic() - begun,
    )


def _fit_one(
    draws: Draws, kind: str, components: int | None, seed: int, codebook: AbstractCodebook | None = None
) -> Fit:
    asked: dict[str, Any] = {} if components is None else {"components": components}
    if codebook is not None:
        asked["codebook"] = codebook
    return fit_of(kind)(draws, seed=seed, **asked)


def _fit_each_class(
    draws: Mapping[int, Draws],
    kind: str,
    labels: np.ndarray,
    components: int | None,
    seed: int,
    names: Sequence[str] | None,
) -> Fit:
    """One fit for each label that occurs; a number that no image has stands empty, with frequency zero."""
    classes = class_count(labels)
    fits: dict[int, Fit] = {}

    def name(label: int) -> str:
        return names[label] if names is not None and label < len(names) else str(label)

    for label, own in draws.items():
        if len(own.fitted) < max(FEWEST_IMAGES, components or 0) or len(own.held_out) == 0:
            raise VaelabError(
                translated(
                    "label {name} has {images} images to fit to and {held_out} held out; a {kind} prior of a class "
                    "needs {fewest} and 1. Give more images, or leave out {option}",
                    name=name(label),
                    images=len(own.fitted),
                    held_out=len(own.held_out),
                    kind=kind,
                    fewest=max(FEWEST_IMAGES, components or 0),
                    option=option("by_class"),
                )
            )
        fits[label] = _fit_one(own, kind, components, seed)
    empty = NormalPrior(next(iter(draws.values())).latent_dim)
    priors = tuple(fits[label].prior if label in fits else empty for label in range(classes))
    prior = ByClassPrior(priors, jnp.asarray(log_frequencies(labels, classes)))
    each = [to_translate("{name}: {words}", name=name(label), words=fit.words) for label, fit in fits.items()]
    words = functools.reduce(lambda before, last: to_translate("{before}; {last}", before=before, last=last), each)
    notes = tuple(dict.fromkeys(note for fit in fits.values() for note in fit.notes))
    return Fit(prior, words, None, (), notes)
