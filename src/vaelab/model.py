"""Encoder, decoder and prior as one frozen module, and the terms of its objective: neither files nor configuration.

A VAE is q(z|x), p(x|z) and p(z). Everything here is for ONE image; `jax.vmap` batches at the edge.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional, ConditionalAtLabel, ConditionalDensity
from vaelab.data.image_spec import ImageSpec
from vaelab.data.image_values import ImageValues
from vaelab.densities import AbstractCentredDensity, AbstractDensity, Flat, Mixture, Unflat, kl_divergence, stack_of
from vaelab.kinds import LIKELIHOODS, POSTERIORS
from vaelab.priors.at_label import AtLabel
from vaelab.priors.base import AbstractPrior
from vaelab.priors.by_label import ClassDensity
from vaelab.space import Space
from vaelab.support import Domain


class Model(eqx.Module):
    """The generative model p(z) p(x|z) with its approximate posterior q(z|x).

    z may be a tree of arrays (`latent`); `posterior`, `likelihood` and `prior_density` speak of it as the vector of its numbers, which
    is what figures, scores and files know. Inside, `encoder`, `decoder` and `elbo_terms` see the tree.

    A conditional model is p(y) p(z|y) p(x|z, y), with q(z|x, y); `given(y)` is the model of p(x|y), which is a model like any other, and
    whatever asks one without a label is refused in one line.
    """

    encoder: AbstractConditional
    decoder: AbstractConditional
    prior: AbstractPrior
    values: ImageValues | None = eqx.field(static=True, default=None)  # of the training images; None where nobody knows
    log_frequencies: Float[Array, " classes"] | None = (
        None  # log p(y) of the training labels; None: no part sees a label
    )

    @property
    def latent(self) -> Space:
        """The space of z."""
        return self.encoder.space

    @property
    def domain(self) -> Domain:
        """Where z lives: what asks for Gaussians around points of all numbers looks here first."""
        return self.encoder.support.domain

    @property
    def latent_dim(self) -> int:
        """How many numbers z has."""
        return self.latent.size

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.decoder.space.shape

    def posterior(
        self,
        image: Float[Array, " *image"],
        prior: AbstractDensity | None = None,
        condition: Int[Array, ""] | None = None,
    ) -> AbstractCentredDensity:
        """q(z|x) for one image as the model sees it (pixels in [0, 1], or as they are for a likelihood over all numbers).

        `condition` is its label, of a conditional model.
        """
        posterior = self.encoder(image, condition, prior=prior)
        return posterior if self.latent.is_array else Flat(posterior, self.latent)

    def likelihood(self, z: Float[Array, " latent"], condition: Int[Array, ""] | None = None) -> AbstractCentredDensity:
        """p(x|z), over images of shape `image_shape`; its `centre` is the picture shown. `condition`: of a conditional model."""
        return self.decoder(z if self.latent.is_array else self.latent.back(z), condition)

    def prior_density(self) -> AbstractDensity:
        """p(z), over vectors of shape (latent,): taken once, outside of the `vmap` over images. Of a label it is `given(label)`."""
        if self.log_frequencies is None or not self.prior.reads_encoder:
            return self.prior.density(self.encoder)
        labels = jnp.arange(len(self.log_frequencies))
        of_labels = stack_of(lambda label: self.prior.density(self.encoder.at_label(label)), labels)
        return ClassDensity(Mixture(self.log_frequencies, of_labels))

    @property
    def is_conditional(self) -> bool:
        """Whether its parts see labels: then nothing is encoded or decoded without one."""
        return self.log_frequencies is not None

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that a conditional model was trained with; none of any other."""
        if self.log_frequencies is None:
            return ()
        return tuple(np.flatnonzero(np.isfinite(np.asarray(self.log_frequencies))).tolist())

    def given(self, label: Int[Array, ""] | int) -> "Model":
        """The model of p(x|y): of one label, and called without any. A label that is none is the caller's to refuse."""
        label = jnp.asarray(label, jnp.int32)
        prior = AtLabel(prior=self.prior, label=label, latent_dim=self.prior.latent_dim)
        return Model(self.encoder.at_label(label), self.decoder.at_label(label), prior, self.values)

    def of_any_label(self) -> "Model":
        """The model of one of its labels, whichever: to ask what all have in common, such as the kinds of their densities."""
        return self.given(0) if self.is_conditional else self

    @property
    def image_spec(self) -> ImageSpec:
        """What images have to be, for this model to take them."""
        return ImageSpec(self.image_shape, self.likelihood_kind, self.decoder.support, self.values)

    @property
    def likelihood_kind(self) -> str:
        """What the family of p(x|z) is called."""
        return kind_of(self.decoder, LIKELIHOODS)

    @property
    def posterior_kind(self) -> str:
        """What the family of q(z|x) is called."""
        return kind_of(self.encoder, POSTERIORS)

    @property
    def has_density(self) -> bool:
        """False for a plain autoencoder: its posterior is one point, and no likelihood follows."""
        image = jax.ShapeDtypeStruct(self.image_shape, jnp.float32)
        return eqx.filter_eval_shape(self.of_any_label().encoder, image).has_density


class ElboTerms(NamedTuple):
    """For one image and one z drawn from its posterior, in nats: ELBO = reconstruction - rate."""

    z: Any  # as the model has it: an array (latent,), or a tree
    reconstruction: Float[Array, ""]  # log p(x|z)
    rate: Float[Array, ""]  # KL(q(z|x) || p(z)), in closed form where there is one, else its estimate at z
    log_weight: Float[Array, ""] | None  # log p(x|z) + log p(z) - log q(z|x); None where codes have no density
    rate_by_entry: Float[Array, " latent"] | None  # of the rate in closed form; None where it is an estimate
    posterior: AbstractCentredDensity


def elbo_terms(
    model: Model,
    prior: AbstractDensity,
    image: Float[Array, " *image"],
    key: PRNGKeyArray,
    condition: Int[Array, ""] | None = None,
    dropout: PRNGKeyArray | None = None,
) -> ElboTerms:
    """The two terms of the evidence lower bound, log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z)), at one draw z ~ q(z|x).

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eqs. 3 and 7. `prior` is `model.prior_density()`, over vectors;
    `condition` is the image's label, which a prior by class looks at, and every part of a conditional model; `dropout` the key of what
    both networks leave out, in training alone.
    """
    leaves_out, too = (None, None) if dropout is None else jr.split(dropout)
    posterior = model.encoder(image, condition, prior=prior, key=leaves_out)
    prior = prior.given(condition)
    if not posterior.has_density:
        z = posterior.sample(key)
        return ElboTerms(z, model.decoder(z, condition, key=too).log_prob(image), jnp.zeros(()), None, None, posterior)
    if posterior.draws_and_scores_at_once:
        z, log_posterior = posterior.sample_and_log_prob(key)
        reconstruction = model.decoder(z, condition, key=too).log_prob(image)
    else:  # in this order gradients add up as they always did, bit for bit
        z = posterior.sample(key)
        reconstruction = model.decoder(z, condition, key=too).log_prob(image)
        log_posterior = posterior.log_prob(z)
    if posterior.lesson is not None:
        reconstruction = reconstruction - posterior.lesson
    over_z = prior if model.latent.is_array else Unflat(prior, model.latent)
    log_ratio = log_posterior - over_z.log_prob(z)
    divergence = kl_divergence(posterior, prior)
    rate = log_ratio if divergence is None else jnp.sum(divergence)
    return ElboTerms(z, reconstruction, rate, reconstruction - log_ratio, divergence, posterior)


def kind_of(part: AbstractConditional, kinds: Any) -> str:
    """What the family of a conditional is called, or the conditional itself where it has none."""
    part = part.within if isinstance(part, ConditionalAtLabel) else part
    return kinds.name_of(part.family if isinstance(part, ConditionalDensity) else part)


def trainable_parts(model: Model) -> PyTree[bool]:
    """True for each array of the model that training may move, as its parts declare."""
    arrays = jax.tree.map(eqx.is_inexact_array, model)
    mask = eqx.tree_at(lambda mask: mask.prior, arrays, model.prior.trainable())
    return (
        mask if model.log_frequencies is None else eqx.tree_at(lambda mask: mask.log_frequencies, mask, replace=False)
    )


def weights_on_pixels(model: Model) -> PyTree[bool]:
    """True for each weight of the encoder that is multiplied with every pixel: what `training.first_layer_rate` is meant for."""
    mask = jax.tree.map(lambda _: False, model)
    if not isinstance(model.encoder, ConditionalDensity):
        return mask
    return eqx.tree_at(lambda mask: mask.encoder, mask, model.encoder.reads_input())


def own_paced(model: Model) -> PyTree[bool]:
    """True for each number that moves at its own pace in training, as the families declare; the run's optimiser moves all others."""
    mask = jax.tree.map(lambda _: False, model)
    for name in ("encoder", "decoder"):
        part = getattr(model, name)
        if isinstance(part, ConditionalDensity):
            mask = eqx.tree_at(lambda it, name=name: getattr(it, name).family, mask, part.family.own_paced())
    return mask


def with_output_bias(model: Model, mean: Float[Array, " *image"]) -> Model:
    """The model whose decoder begins at the mean image, where its family knows how."""
    if not isinstance(model.decoder, ConditionalDensity):
        return model
    return eqx.tree_at(lambda model: model.decoder, model, model.decoder.centred_at(mean))


def mean_image_alone(model: Model, mean: Float[Array, " *image"]) -> Model:
    """A model that draws the mean image whatever z is: what any trained one should beat. Itself, where its family does not know how."""
    if not (isinstance(model.decoder, ConditionalDensity) and model.decoder.family.starting_bias(mean)):
        return model
    return eqx.tree_at(lambda model: model.decoder, model, model.decoder.centred_at(mean).blind())
