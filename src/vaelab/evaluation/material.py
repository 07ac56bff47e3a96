"""A run with all that is asked of it: each read or computed once, when it is first asked for, by figures, evaluation and doctor alike."""

import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vaelab.config import Config
from vaelab.data import Dataset, Split
from vaelab.densities import AbstractDensity
from vaelab.evaluation.bounds import CHECKED_IMAGES, CHECKED_TRAINING_IMAGES
from vaelab.language import translated
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.prior_file import TRAINED
from vaelab.run_data import RunData, chosen_data, is_of_arrays
from vaelab.runs import Run

if TYPE_CHECKING:
    from vaelab.evaluation.coded import CodedImages
    from vaelab.evaluation.judged_images import JudgedImages
    from vaelab.generating import Encoded


class Material:
    """A run, its model with one of its priors, and the images that it is judged on.

    - `dataset`, `model`: where they are there already, as at the end of a training; else they are read
    - `data`: judge it by these images, a name or a path, in place of its own
    - `training_data`: where its own data are now
    - `pixels`, `static_file`: as `judged_images` takes them
    """

    def __init__(
        self,
        run: Run,
        *,
        dataset: "Dataset | None" = None,
        data: str | None = None,
        prior: str = TRAINED,
        model: Model | None = None,
        pixels: str | None = None,
        static_file: str | None = None,
        training_data: str | None = None,
    ):
        self.run, self.prior, self.data, self.training_data = run, prior, data, training_data
        self.given_dataset = dataset
        self._pixels, self._static_file = pixels, static_file
        if model is not None:
            self.model = model

    def with_prior(self, prior: str) -> "Material":
        """The same run with another of its priors: what has no part of a prior in it is shared."""
        if prior == self.prior:
            return self
        _ = self.coded  # so that it is computed once for both
        other = copy.copy(self)
        other.prior = prior
        for name in ("model", "density"):
            other.__dict__.pop(name, None)
        return other

    @cached_property
    def model(self) -> Model:
        return load_model(self.run, self.prior)

    @property
    def trained_model(self) -> Model:
        """The model with the prior that was trained with it."""
        return self.model if self.prior == TRAINED else load_model(self.run)

    # --- what it is called --------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def config(self) -> Config:
        return self.run.config

    @property
    def data_name(self) -> str:
        if self.given_dataset is not None:
            return self.given_dataset.name
        if self.data is None and self.run.sample_file.is_file():
            return self.dataset.name
        return self.data or self.config.data.name

    @property
    def how_to_sample(self) -> str:
        """What gives an autoencoder something to sample from."""
        run = self.run.called
        return translated("vaelab fit-prior {run} mixture, then: vaelab plot {run} samples --prior mixture", run=run)

    @cached_property
    def density(self) -> AbstractDensity:
        """p(z); of a class prior the mixture over labels, for the label of a held-out image is never used."""
        return self.model.prior_density().given(None)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return self.run.metrics()

    # --- images ---------------------------------------------------------------------------------------------------------------------

    @property
    def other_data(self) -> str | None:
        """`data`, where they are not the run's own by their name."""
        own = self.data == self.run.config.data.name and not is_of_arrays(self.run)
        return None if own else self.data

    @cached_property
    def source(self) -> RunData:
        """The data that the run was trained on, or others in their place: what figures show.

        Raises:
            VaelabError: where they cannot be read; `TrainingDataError` for a run's own.
        """
        if self.given_dataset is not None:
            return RunData(self.given_dataset)
        other = self.other_data
        return chosen_data(self.run, other, self.training_data if other is None else None, fitted=self.model.values)

    @property
    def dataset(self) -> "Dataset":
        return self.source.dataset

    @cached_property
    def judged(self) -> "JudgedImages":
        from vaelab.evaluation.judged_images import judged_images

        own = self.given_dataset if self.other_data is not None else self.source
        return judged_images(
            self.run,
            self.data,
            dataset=own,
            pixels=self._pixels,
            static_file=self._static_file,
            training_data=self.training_data,
            fitted=self.model.values,
        )

    @cached_property
    def coded(self) -> "CodedImages":
        """All images that the run is judged on, as its model sees them."""
        return self._coded(None, None)

    @cached_property
    def checked(self) -> "CodedImages":
        """The first 2,000 held-out and 10,000 training images."""
        return self._coded(CHECKED_IMAGES, CHECKED_TRAINING_IMAGES)

    def _coded(self, images: int | None, training: int | None) -> "CodedImages":
        from vaelab.evaluation.coded import CodedImages

        judged = self.judged
        return CodedImages(
            self.model,
            judged.images[:images],
            None if judged.training_images is None else judged.training_images[:training],
            labels=None if judged.labels is None else judged.labels[:images],
            training_labels=None if judged.training_labels is None else judged.training_labels[:training],
            pixels=judged.pixels,
            pixel_seed=judged.pixel_seed,
        )

    @cached_property
    def test(self) -> Split:
        """The test images of `dataset` as grey values: what figures show."""
        test = self.dataset.test
        return Split(self.model.image_spec.taken(test.images, self.dataset.name), test.labels)

    @cached_property
    def encoded(self) -> "Encoded":
        """q(z|x) of the images of `test`, and one draw of each."""
        from vaelab.generating import encode

        return encode(self.model, self.test.images, self.test.labels)
