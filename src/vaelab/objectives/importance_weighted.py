"""The importance-weighted bounds."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.densities import AbstractDensity, Unflat
from vaelab.model import Model, elbo_terms
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss, of_the_model
from vaelab.objectives.settings import ImportanceWeightedSettings
from vaelab.objectives.terms import dropout_key


class ImportanceWeighted(AbstractObjective):
    """loss = -1/M sum_m log 1/K sum_k w_mk, with w = p(x|z) p(z) / q(z|x) and z ~ q(z|x): M bounds of K draws each.

    - M = 1: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, eq. 8; K = 1: the ELBO of M draws
    - M > 1: MIWAE, whose encoder learns by a gradient of less noise: Rainforth et al., "Tighter variational bounds are not necessarily
      better", ICML 2018, eq. 9. With `joint` decoder and prior learn by the one bound of all MK draws: PIWAE, eq. 13. With a share of
      the ELBO in the sum, CIWAE, eq. 11

    The bound has no exact parts: `reconstruction` is -log p(x|z) averaged by the normalised weights, and `kl` is what is left of the loss.
    While beta is below 1 the weights are p(x|z) (p(z) / q(z|x))^beta. Held-out images are scored by the same bound.
    """

    samples: int = eqx.field(static=True)
    bounds: int = eqx.field(static=True, default=1)
    joint: bool = eqx.field(static=True, default=False)
    elbo_share: float = eqx.field(static=True, default=0.0)
    doubly: bool = eqx.field(static=True, default=False)

    @classmethod
    def build(cls, settings: ImportanceWeightedSettings) -> "ImportanceWeighted":
        return cls(
            settings.samples,
            settings.bounds,
            settings.decoder == "joint",
            settings.elbo_share,
            settings.gradient == "doubly-reparameterised",
        )

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        if self.doubly or (self.joint and self.bounds > 1):
            return self._by_part(players[MODEL], state, batch, beta, keys)
        return of_the_model(self._terms(players[MODEL], batch, beta, keys, in_training=True), state)

    def score(
        self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> dict[str, Float[Array, " batch"]]:
        return self._terms(model, batch, beta, keys, in_training=False)

    def _terms(
        self,
        model: Model,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
        *,
        in_training: bool,
    ) -> dict[str, Float[Array, " batch"]]:
        prior = model.prior_density()

        def one_image(image: Array, key: PRNGKeyArray, label: Array | None) -> tuple[Array, Array]:
            terms = jax.vmap(lambda key: elbo_terms(model, prior, image, key, label, dropout_key(key, in_training)))(
                jr.split(key, self.bounds * self.samples)
            )
            assert terms.log_weight is not None
            log_ratio = terms.log_weight - terms.reconstruction  # log p(z) - log q(z|x)
            return self._bound(terms.reconstruction + beta * log_ratio, terms.reconstruction)

        loss, reconstruction = jax.vmap(one_image)(batch.images, keys, batch.labels)
        return _parts(loss, reconstruction, beta)

    def _bound(
        self, log_weights: Float[Array, " draws"], log_likelihoods: Float[Array, " draws"]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The loss of one image, and -log p(x|z) averaged by the weights that the draws have in its gradient."""
        shares = jax.lax.stop_gradient(self._shares(log_weights, joint=self.joint))
        groups = self._in_bounds(log_weights, joint=self.joint)
        loss = math.log(groups.shape[1]) - jax.nn.logsumexp(groups, axis=1).mean()
        if self.elbo_share > 0.0:
            loss = (1.0 - self.elbo_share) * loss - self.elbo_share * log_weights.mean()
        return loss, -jnp.sum(shares * log_likelihoods)

    def _in_bounds(self, log_weights: Float[Array, " draws"], *, joint: bool) -> Float[Array, "bounds each"]:
        return jnp.reshape(log_weights, (1, -1) if joint else (self.bounds, self.samples))

    def _shares(self, log_weights: Float[Array, " draws"], *, joint: bool) -> Float[Array, " draws"]:
        """The derivative of the bound by each log w: they sum to 1."""
        groups = self._in_bounds(log_weights, joint=joint)
        shares = jnp.ravel(jax.nn.softmax(groups, axis=1) / groups.shape[0])
        return (1.0 - self.elbo_share) * shares + self.elbo_share / log_weights.shape[0]

    # --- a gradient of its own for the encoder ----------------------------------------------------------------------------------------

    def _by_part(
        self, model: Model, state: PyTree, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> Loss:
        """The loss whose gradient is one thing by decoder and prior, and another by the encoder that draws z."""
        prior = model.prior_density()

        def one_image(image: Array, key: PRNGKeyArray, label: Array | None) -> tuple[Array, Array, Array]:
            draws = jr.split(key, self.bounds * self.samples)
            found = jax.vmap(
                lambda key: log_weight_by_part(model, prior, image, label, beta, key, encoder_held=self.doubly)
            )(draws)
            held = jax.lax.stop_gradient(found.of_decoder)
            loss, reconstruction = self._bound(held, jax.lax.stop_gradient(found.reconstruction))
            of_encoder = self._encoder_shares(held, beta) if self.doubly else self._shares(held, joint=False)
            of_decoder = self._shares(held, joint=self.joint)
            slope = -jnp.sum(of_decoder * found.of_decoder) - jnp.sum(of_encoder * found.of_encoder)
            return loss + slope - jax.lax.stop_gradient(slope), loss, reconstruction

        surrogate, loss, reconstruction = jax.vmap(one_image)(batch.images, keys, batch.labels)
        shown = {name: values.mean() for name, values in _parts(loss, reconstruction, beta).items()}
        return Loss({MODEL: surrogate.mean()}, shown, state)

    def _encoder_shares(self, log_weights: Float[Array, " draws"], beta: Float[Array, ""]) -> Float[Array, " draws"]:
        """What each draw's path counts for in the doubly reparameterised gradient: (1 - beta) s + beta s^2 of its normalised weight s.

        By the path of z alone, d log w / dz dz / dphi, summed by s^2: Tucker et al., "Doubly reparameterized gradient estimators for Monte
        Carlo objectives", ICLR 2019, eq. 8. It takes beta sum s d log q / dphi, the score in the gradient of log sum w, once more through
        z, E[s d log q / dphi] = E[ds / dz dz / dphi] with ds / dz = (s - s^2) d log w / dz; so for a beta of another size s is what is
        left of it. For one draw, s = 1, it is the gradient of Roeder et al., "Sticking the landing", NeurIPS 2017.
        """
        shares = jax.nn.softmax(self._in_bounds(log_weights, joint=False), axis=1)
        paths = jnp.ravel((1.0 - beta) * shares + beta * shares**2) / self.bounds
        return (1.0 - self.elbo_share) * paths + self.elbo_share / log_weights.shape[0]


class LogWeight(NamedTuple):
    """One draw's log w, twice: the same number with two gradients."""

    of_decoder: Float[Array, ""]  # as z is held and so is q: for p(x|z), and for p(z) whatever it is made of
    of_encoder: Float[Array, ""]  # as p is held: for q(z|x)
    reconstruction: Float[Array, ""]  # log p(x|z)


def log_weight_by_part(
    model: Model,
    prior: AbstractDensity,
    image: Float[Array, " *image"],
    label: Array | None,
    beta: Float[Array, ""],
    key: PRNGKeyArray,
    *,
    encoder_held: bool,
) -> LogWeight:
    """log w = log p(x|z) + beta (log p(z) - log q(z|x)) at a draw z ~ q(z|x).

    `encoder_held`: its gradient for the encoder goes by z alone, the numbers of q being held as well. Where the encoder is within p(z), as
    in a VampPrior, what it does there is p's: the gradient of a function of q and p is the sum of those by each. A flow is then inverted
    at its own draw, for what it knows of that is by its numbers and not by z.
    """
    leaves_out, too = jr.split(jr.fold_in(key, 1))
    posterior = model.encoder(image, label, prior=prior, key=leaves_out)
    z, log_posterior = posterior.sample_and_log_prob(key) if not encoder_held else (posterior.sample(key), None)
    if log_posterior is None:
        log_posterior = _held(posterior).log_prob(z)

    def log_prior(density: AbstractDensity, z: Any) -> Array:
        density = density.given(label)
        return (density if model.latent.is_array else Unflat(density, model.latent)).log_prob(z)

    fixed = _held(z)
    reconstruction = model.decoder(fixed, label, key=too).log_prob(image)
    of_decoder = reconstruction + beta * (log_prior(prior, fixed) - _held(log_posterior))
    along_z = _held(model.decoder)(z, label, key=too).log_prob(image)
    of_encoder = along_z + beta * (log_prior(_held(prior), z) - log_posterior)
    if posterior.lesson is not None:  # what a codebook learns by, as in `elbo_terms`
        of_encoder = of_encoder - posterior.lesson
    return LogWeight(of_decoder, of_encoder, reconstruction)


def _held(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if eqx.is_inexact_array(leaf) else leaf, tree)


def _parts(
    loss: Float[Array, " batch"], reconstruction: Float[Array, " batch"], beta: Float[Array, ""]
) -> dict[str, Float[Array, " batch"]]:
    return {"loss": loss, "reconstruction": reconstruction, "kl": (loss - reconstruction) / jnp.maximum(beta, 1e-6)}
