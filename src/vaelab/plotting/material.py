"""What the figures of a run, or of a fitted estimator, are drawn from, read and computed once and only when a figure asks for it."""

from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Integer, Shaped

from vaelab.config import Config
from vaelab.data import Dataset, Split
from vaelab.generating import Encoded, can_sample, decode, sample_latents
from vaelab.generating.pictures import shown_range
from vaelab.labels import called
from vaelab.language import translated
from vaelab.model import Model
from vaelab.run_data import RunData, TrainingDataError

if TYPE_CHECKING:
    from vaelab.evaluation.material import Material
    from vaelab.plotting.fitted_material import FittedMaterial
    from vaelab.plotting.latent import Contours
    from vaelab.plotting.plane import Plane


class FigureMaterial:
    """The `Material` of a run, or of an estimator in memory, as figures ask for it: the test images of a data set as grey values, their
    plane, black and white, words.
    """

    def __init__(self, material: "Material | FittedMaterial"):
        self.material = material

    @property
    def config(self) -> Config:
        return self.material.config

    @property
    def name(self) -> str:
        """What a figure calls the model."""
        return self.material.name

    @property
    def prior(self) -> str:
        return self.material.prior

    @property
    def model(self) -> Model:
        return self.material.model

    @property
    def dataset(self) -> Dataset:
        return self.material.dataset

    @property
    def trained_model(self) -> Model:
        """The model with the prior that was trained with it."""
        return self.material.trained_model

    @property
    def how_to_sample(self) -> str:
        return self.material.how_to_sample

    @property
    def source(self) -> RunData:
        return self.material.source

    @property
    def images_shown(self) -> str:
        """`test images`; of a saved estimator what stands in for them."""
        return f"{self.source.split} images"

    @property
    def test(self) -> Split:
        return self.material.test

    @property
    def labels(self) -> Integer[np.ndarray, " n"] | None:
        return self.test.labels

    @property
    def encoded(self) -> Encoded:
        return self.material.encoded

    @cached_property
    def plane(self) -> "Plane":
        from vaelab.plotting.plane import plane_of

        return plane_of(self.encoded.mean, self.encoded.log_variance)

    @cached_property
    def shown(self) -> tuple[float, float]:
        """The values of black and of white; where there are no images, those of the range that was fitted."""
        try:
            return shown_range(self.test.images)
        except TrainingDataError:
            values = self.model.values
            return (0.0, 1.0) if values is None else shown_range(np.array([values.low, values.high], np.float32))

    @property
    def records(self) -> list[dict[str, Any]]:
        return self.material.records

    @property
    def has_normal_prior(self) -> bool:
        return self.model.has_density and self.model.prior.settings().is_fixed

    @property
    def can_sample(self) -> bool:
        return can_sample(self.model)

    def decode(
        self, z: Float[np.ndarray, "n latent"], labels: Integer[np.ndarray, " n"] | int | None = None
    ) -> Shaped[np.ndarray, "n ..."]:
        """The pictures at these points; of a model that sees labels as these, and of any other whatever they are."""
        return decode(self.model, np.asarray(z, np.float32), labels)

    def as_label(self, facts: str, label: int) -> str:
        """`facts`, with the label that a model which sees them decodes as; of any other as they are."""
        from vaelab.plotting.page import SEPARATOR

        if not self.model.is_conditional:
            return facts
        return SEPARATOR.join(
            [facts, translated("decoded as label {label}", label=called(label, self.material.dataset.label_names))]
        )

    @property
    def facts(self) -> str:
        """One line: of which run a figure is."""
        from vaelab.evaluation.figure import counted
        from vaelab.plotting.page import SEPARATOR

        config = self.config
        size = config.model.latent_dim
        # of a path its last part: where it lies on this machine is nothing to the picture
        data = PurePath(self.material.data_name).name
        words = [self.name, data, translated(counted(size, "latent dimension"))]
        if not config.model.posterior.has_density:
            words.append(
                translated("autoencoder")
                if self.prior == "trained"
                else translated("autoencoder with prior {prior}", prior=self.prior)
            )
        else:
            words.append(f"β {config.objective.beta:g}")
            words.append(
                translated("{kind} prior", kind=config.model.prior.kind)
                if self.prior == "trained"
                else translated("prior {prior}, fitted afterwards", prior=self.prior)
            )
        return SEPARATOR.join([*words, translated("seed {seed}", seed=config.seed)])

    @cached_property
    def contours(self) -> "Contours | None":
        """The density of a prior that is not N(0, I), where the plane is the whole latent space."""
        if self.has_normal_prior or not self.can_sample or self.model.latent_dim != 2:
            return None
        if self.model.prior.scoring == "bound":
            return None
        return contours_of(self.model, self.encoded.mean)


def contours_of(model: Model, points: Float[np.ndarray, "n 2"], *, cells: int = 128) -> "Contours":
    """The log-density of the model's prior on a grid over the points and its own draws, with three of its levels.

    They hold 98.9, 86.5 and 39.3 % of its mass, as 3, 2 and 1 sigma of a Gaussian do: each is the quantile of log p(z)
    at draws z ~ p.
    """
    import equinox as eqx
    import jax

    from vaelab.plotting.latent import Contours

    density = model.prior_density()
    log_probs = eqx.filter_jit(lambda density, z: jax.vmap(density.log_prob)(z))
    draws = sample_latents(model, cells**2)  # as many as there are cells: one program serves both
    together = np.concatenate([draws, points])
    low, high = together.min(axis=0), together.max(axis=0)
    across, up = (np.linspace(low[axis], high[axis], cells, dtype=np.float32) for axis in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    masses = 1.0 - np.exp(-0.5 * np.array([3.0, 2.0, 1.0]) ** 2)
    levels = np.quantile(np.asarray(log_probs(density, draws)), 1.0 - masses)
    return Contours(across, up, np.asarray(log_probs(density, grid)).reshape(cells, cells), levels)
