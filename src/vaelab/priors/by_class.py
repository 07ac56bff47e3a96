"""A fitted prior for each class."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Array, Float

from vaelab.priors.base import AbstractPrior, Scoring
from vaelab.priors.by_label import DensityByLabel

if TYPE_CHECKING:
    from vaelab.model import Model


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

    def density(self, model: "Model | None" = None) -> DensityByLabel:
        return DensityByLabel(self.log_frequencies, tuple(prior.density(model) for prior in self.priors))
