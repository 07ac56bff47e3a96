"""The negative evidence lower bound."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, Key, PyTree

from vaelab.model import Model
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss, of_the_model
from vaelab.objectives.settings import ElboSettings
from vaelab.objectives.terms import elbo_of_images


class Elbo(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)), with the expectation over `samples` draws of z.

    beta = 1 is the evidence lower bound of Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 3; another
    beta that of Higgins et al., "beta-VAE", ICLR 2017, eq. 4.
    """

    samples: int = eqx.field(static=True, default=1)

    @classmethod
    def build(cls, settings: ElboSettings) -> "Elbo":
        return cls(settings.samples)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model = players[MODEL]
        terms = elbo_of_images(model, batch.images, batch.labels, beta, keys, self.samples, in_training=True)
        return of_the_model(terms, state)

    def score(
        self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> dict[str, Float[Array, " batch"]]:
        return elbo_of_images(model, batch.images, batch.labels, beta, keys, self.samples)
