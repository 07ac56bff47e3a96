"""A maximum mean discrepancy of the codes and the prior."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn, drawn_from_prior, with_terms
from vaelab.objectives.settings import MmdSettings


class Mmd(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL + weight MMD^2(q(z), p(z)), with q(z) the aggregate posterior.

    With beta = 0 it is the Wasserstein autoencoder of Tolstikhin et al., "Wasserstein auto-encoders", ICLR 2018, eq. 4 and
    algorithm 2, whose posterior may be a point; with beta between 0 and 1 the InfoVAE of Zhao, Song and Ermon, "InfoVAE", AAAI 2019,
    eq. 6, for which beta = 1 - alpha and weight = alpha + lambda - 1.

    Kernels, of squared distance s and width C = 2 latent scale, averaged over the scales so that k(z, z) = 1:
    `imq` C / (C + s) and `rbf` exp(-s / C). With beta = 0 nothing but the places of a learned prior's draws is trained, and no mixture's
    weights.
    """

    weight: float = eqx.field(static=True)
    kernel: str = eqx.field(static=True)
    scales: tuple[float, ...] = eqx.field(static=True)

    @classmethod
    def build(cls, settings: MmdSettings) -> "Mmd":
        return cls(settings.weight, settings.kernel, settings.scales)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        found = drawn(players[MODEL], batch, keys)
        from_prior = drawn_from_prior(found.prior, batch.labels, keys)
        mmd = squared_discrepancy(found.z, from_prior, self.kernel, self.scales)
        return with_terms(found, beta, {"mmd": (self.weight, mmd)}, state)


def squared_discrepancy(
    x: Float[Array, "m latent"], y: Float[Array, "m latent"], kernel: str, scales: tuple[float, ...]
) -> Float[Array, ""]:
    """MMD^2 without bias, which may be below 0: 1/(m(m-1)) sum_{i != j} [k(x_i, x_j) + k(y_i, y_j)] - 2/m^2 sum_ij k(x_i, y_j).

    Gretton et al., "A kernel two-sample test", JMLR 2012, lemma 6, eq. 3.
    """
    count = x.shape[0]

    def mean_kernel(a: Array, b: Array, *, own: bool) -> Array:
        squares = jnp.sum((a[:, None] - b[None]) ** 2, axis=-1)
        widths = [2.0 * x.shape[1] * scale for scale in scales]
        values = [width / (width + squares) if kernel == "imq" else jnp.exp(-squares / width) for width in widths]
        found = sum(values[1:], values[0]) / len(scales)
        if not own:
            return found.mean()
        return (found.sum() - count) / (count * (count - 1))  # k(z, z) = 1 is left out

    return mean_kernel(x, x, own=True) + mean_kernel(y, y, own=True) - 2.0 * mean_kernel(x, y, own=False)
