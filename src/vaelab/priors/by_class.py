"""A fitted prior for each class."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.kinds import PRIORS
from vaelab.priors.base import AbstractPrior, Scoring, Shapes
from vaelab.priors.by_label import DensityByLabel
from vaelab.priors.settings import ByClassPriorSettings


class ByClassPrior(AbstractPrior):
    """One prior for each of the labels 0, 1, …; `density().given(label)` is that label's, so an unconditional model draws by label.

    Unconditionally it is their mixture, weighted by the frequencies of the training labels.
    """

    priors: tuple[AbstractPrior, ...]
    log_frequencies: Float[Array, " labels"]

    def __init__(self, priors: tuple[AbstractPrior, ...], log_frequencies: Float[Array, " labels"]):
        self.priors, self.log_frequencies = priors, log_frequencies

    @property
    def latent_dim(self) -> int:
        return self.priors[0].latent_dim

    @property
    def scoring(self) -> Scoring:
        """That of the most restricted of its parts."""
        found = {prior.scoring for prior in self.priors}
        return "bound" if "bound" in found else "quadrature" if "quadrature" in found else "any"

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(np.flatnonzero(np.isfinite(np.asarray(self.log_frequencies))).tolist())

    @classmethod
    def build(cls, settings: ByClassPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "ByClassPrior":
        priors = tuple(PRIORS.build(part, shapes, key=key) for part in settings.priors)
        return cls(priors, jnp.zeros(len(priors)))

    def settings(self) -> ByClassPriorSettings:
        return ByClassPriorSettings(priors=tuple(prior.settings() for prior in self.priors))

    def density(self, encoder: AbstractConditional | None = None) -> DensityByLabel:
        return DensityByLabel(self.log_frequencies, tuple(prior.density(encoder) for prior in self.priors))
