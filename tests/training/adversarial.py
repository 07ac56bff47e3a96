"""An objective with two players, an optimiser of its own and a state: as an author outside of the package would write one."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.model import Model
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.terms import elbo_of_images

CRITIC = "critic"


class AdversarialAutoencoder(AbstractObjective):
    """The critic D tells draws of N(0, I) from codes; the encoder is trained to be mistaken for N(0, I).

        model:  E[-log p(x|z)] + beta E[-log D(z)],  z ~ q(z|x)
        critic: E[-log D(u)] + E[-log (1 - D(z))],   u ~ N(0, I)

    Makhzani et al., "Adversarial autoencoders", 2015, section 2, with the loss of the encoder that does not saturate (Goodfellow et
    al., "Generative adversarial nets", NeurIPS 2014, section 3). The state is a running mean of the codes.
    """

    learning_rate: float = eqx.field(static=True, default=1e-2)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        return {CRITIC: eqx.nn.MLP(model.latent_dim, "scalar", 8, 1, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {CRITIC: {"optimiser": "adam", "optimiser_options": {"b1": 0.5}, "learning_rate": self.learning_rate}}

    def start(self, model: Model, *, key: PRNGKeyArray) -> PyTree:
        return {"mean_code": jnp.zeros(model.latent_dim), "steps": jnp.int32(0)}

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model, critic = players[MODEL], players[CRITIC]

        def one_image(image: Array, key: PRNGKeyArray) -> tuple[Array, Array, Array]:
            code_key, prior_key = jr.split(key)
            z = model.posterior(image).sample(code_key)
            return z, -model.likelihood(z).log_prob(image), jr.normal(prior_key, z.shape)

        z, reconstruction, u = jax.vmap(one_image)(batch.images, keys)
        taken_for_prior = jax.nn.softplus(-jax.vmap(critic)(z)).mean()
        fixed = jax.lax.stop_gradient(z)
        told_apart = jax.nn.softplus(-jax.vmap(critic)(u)).mean() + jax.nn.softplus(jax.vmap(critic)(fixed)).mean()
        loss = reconstruction.mean() + beta * taken_for_prior
        return Loss(
            {MODEL: loss, CRITIC: told_apart},
            {"loss": loss, "reconstruction": reconstruction.mean(), "kl": taken_for_prior, "critic": told_apart},
            {"mean_code": 0.9 * state["mean_code"] + 0.1 * fixed.mean(axis=0), "steps": state["steps"] + 1},
        )

    def score(
        self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> dict[str, Float[Array, " batch"]]:
        terms = elbo_of_images(model, batch.images, batch.labels, beta, keys)
        return {**terms, "squared_error": terms["reconstruction"] ** 2}
