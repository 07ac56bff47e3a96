"""One Gaussian a label."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional
from vaelab.densities import DiagonalNormal, Mixture
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.by_label import ClassDensity, log_frequencies
from vaelab.priors.settings import ClassPriorSettings


class ClassPrior(AbstractPrior):
    """p(z|y) = N(z; m_y, diag(exp(log_variance_y))), and p(z) = sum_y pi_y p(z|y) with the frequencies of the training labels.

    Trained, an image's KL is to its own label's Gaussian; scored, to the mixture, and its label is never used. It is the prior of
    Kingma et al., "Semi-supervised learning with deep generative models", NeurIPS 2014, moved from the decoder into the latent space.
    """

    means: Float[Array, "classes latent"]
    log_variances: Float[Array, "classes latent"]
    log_frequencies: Float[Array, " classes"]
    latent_dim: int = eqx.field(static=True)

    def __init__(self, latent_dim: int, classes: int, *, key: PRNGKeyArray):
        # spread over N(0, I), with half the variance between the classes
        self.means = 0.5**0.5 * jr.normal(key, (classes, latent_dim))
        self.log_variances = jnp.full((classes, latent_dim), float(np.log(0.5)))
        self.log_frequencies = jnp.full(classes, -float(np.log(classes)))
        self.latent_dim = latent_dim

    @classmethod
    def build(cls, settings: ClassPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "ClassPrior":
        """The prior before training.

        Raises:
            VaelabError: where the number of classes is not known yet.
        """
        if settings.classes is None:
            raise VaelabError(translated("model.prior.classes: expected the number of classes, such as 10; found none"))
        return cls(shapes.latent_dim, settings.classes, key=key)

    def settings(self) -> ClassPriorSettings:
        return ClassPriorSettings(classes=self.classes)

    @property
    def classes(self) -> int:
        return self.means.shape[0]

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(np.flatnonzero(np.isfinite(np.asarray(self.log_frequencies))).tolist())

    def density(self, encoder: AbstractConditional | None = None) -> ClassDensity:
        del encoder
        return ClassDensity(Mixture(self.log_frequencies, DiagonalNormal(self.means, self.log_variances)))

    def trainable(self) -> PyTree[bool]:
        mask = jax.tree.map(eqx.is_inexact_array, self)
        return eqx.tree_at(lambda mask: mask.log_frequencies, mask, replace=False)

    def started_from(self, images: np.ndarray, labels: np.ndarray | None, *, key: PRNGKeyArray) -> "ClassPrior":
        del images, key
        frequencies = jnp.asarray(log_frequencies(labels, self.classes))
        return eqx.tree_at(lambda prior: prior.log_frequencies, self, frequencies)
