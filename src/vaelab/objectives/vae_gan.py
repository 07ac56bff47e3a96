"""A critic that tells images from pictures, and whose features compare them."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.kinds import NETWORKS
from vaelab.model import Model
from vaelab.networks.base import AbstractNetwork
from vaelab.networks.building import build_network
from vaelab.networks.linear import Linear
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.critic import CRITIC, by_adam, taken_for_true
from vaelab.objectives.draws import drawn, drawn_from_prior, with_terms
from vaelab.objectives.settings import VaeGanSettings
from vaelab.settings import NetworkSettings
from vaelab.space import Space


class ImageCritic(eqx.Module):
    """A network on images, and on its features the log-odds that an image is a true one."""

    network: AbstractNetwork
    head: Linear

    def __init__(self, settings: NetworkSettings, image: Space, *, key: PRNGKeyArray):
        network_key, head_key = jr.split(key)
        self.network = build_network(settings, image, key=network_key)
        self.head = Linear(Space.of_shape(self.network.out_shape).size, 1, key=head_key)

    def __call__(self, image: Float[Array, " *image"]) -> tuple[Float[Array, " features"], Float[Array, ""]]:
        features = jnp.ravel(self.network(image))
        return features, self.head(features)[0]


class VaeGan(AbstractObjective):
    """The picture G(z), the centre of p(x|z), is compared with x by the critic's features f, and the decoder deceives the critic D:

        model:   pixels E[-log p(x|z)] + beta KL + features E[norm(f(x) - f(G(z)))^2 / 2]
        decoder: as the model, + weight (E[-log D(G(z))] + E[-log D(G(u))]),  u ~ p(z)
        critic:  E[-log D(x)] + E[-log(1 - D(G(z)))] + E[-log(1 - D(G(u)))]

    Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", ICML 2016, eqs. 7 to 9 and algorithm 1, with the
    decoder's loss that does not saturate, f the whole network before the critic's last layer, and a share of the pixels' likelihood
    beside: the paper has pixels = 0.
    """

    network: str = eqx.field(static=True)
    rate: float = eqx.field(static=True)
    features: float = eqx.field(static=True)
    weight: float = eqx.field(static=True)
    pixels: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: VaeGanSettings) -> "VaeGan":
        return cls(settings.critic, settings.critic_rate, settings.features, settings.weight, settings.pixels)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        settings = NETWORKS.settings(self.network)
        assert isinstance(settings, NetworkSettings)
        settings = settings.completed(model.image_shape, decodes=False)
        return {CRITIC: ImageCritic(settings, Space.of_shape(model.image_shape), key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return by_adam(self.rate)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model, critic = players[MODEL], jax.vmap(players[CRITIC])
        found = drawn(model, batch, keys)
        from_prior = drawn_from_prior(found.prior, batch.labels, keys)

        def pictures(z: Array) -> Array:
            return jax.vmap(lambda z, label: model.likelihood(z, label).centre)(z, batch.labels)

        true, odds_of_true = critic(batch.images)
        rebuilt, _ = critic(pictures(found.z))
        distance = 0.5 * jnp.mean(jnp.sum((true - rebuilt) ** 2, axis=1))
        # these look at the decoder alone: neither encoder nor prior learns to deceive
        drawings = [pictures(jax.lax.stop_gradient(z)) for z in (found.z, from_prior)]
        deceived = sum((taken_for_true(critic(drawing)[1]) for drawing in drawings), jnp.zeros(()))
        told = taken_for_true(odds_of_true)
        for drawing in drawings:
            told = told + jax.nn.softplus(critic(jax.lax.stop_gradient(drawing))[1]).mean()
        weighted = {"features": (self.features, distance), "adversarial": (self.weight, deceived)}
        return with_terms(found, beta, weighted, state, pixels=self.pixels, players={CRITIC: told})
