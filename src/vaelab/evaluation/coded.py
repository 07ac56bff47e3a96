"""Held-out and training images with all that follows from them and the encoder alone: each computed once, when it is first asked for."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Num

from vaelab.codes import Codes, codes_of
from vaelab.errors import VaelabError
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.baselines import Baselines, baselines, grey_floor
from vaelab.evaluation.figure import Figure
from vaelab.evaluation.inputs import checked_images
from vaelab.evaluation.latents import Probes, probes
from vaelab.evaluation.reconstruction import ReconstructionScores, reconstruction_scores
from vaelab.language import translated
from vaelab.model import Model
from vaelab.pixels import Pixels, seen_once


class CodedImages:
    """The images that a model is judged on and those that it was trained on. All priors of one model share it.

    - `images`, `training_images`: of the model's shape, uint8 or floats as the model was trained on, before the pixel treatment.
      Without training images what rests on them is None
    - `labels`, `training_labels`: for the probes
    - `pixels`, `pixel_seed`: the treatment; `dynamic` draws both sets once

    A conditional model codes each image given its label.

    **Raises:** `VaelabError` for images that the model cannot score, and for a conditional model without their labels.
    """

    def __init__(
        self,
        model: Model,
        images: Num[np.ndarray, "images ..."],
        training_images: Num[np.ndarray, "training ..."] | None = None,
        *,
        labels: Int[np.ndarray, " images"] | None = None,
        training_labels: Int[np.ndarray, " training"] | None = None,
        pixels: Pixels = "grey",
        pixel_seed: int = 0,
    ):
        self.model = model
        self.raw = checked_images(model, images)
        self.raw_training = (
            None if training_images is None else checked_images(model, training_images, "training images")
        )
        self.labels, self.training_labels = labels, training_labels
        if model.is_conditional and labels is None:
            raise VaelabError(
                translated(
                    "this model was trained with labels, and its codes are of images given theirs; these images have none"
                )
            )
        self.pixels: Pixels = pixels
        self.pixel_seed = pixel_seed

    @cached_property
    def seen(self) -> Num[np.ndarray, "images ..."]:
        """The held-out images as the model sees them."""
        return seen_once(self.raw, self.pixels, self.pixel_seed)

    @cached_property
    def seen_training(self) -> Num[np.ndarray, "training ..."] | None:
        return None if self.raw_training is None else seen_once(self.raw_training, self.pixels, self.pixel_seed + 1)

    @cached_property
    def is_grey(self) -> bool:
        """Whether a likelihood of black and white is asked to score pixels between them."""
        return not self.model.decoder.support.scores(self.seen)

    # --- codes ----------------------------------------------------------------------------------------------------------------------

    @cached_property
    def codes(self) -> Codes:
        """q(z|x) of the held-out images."""
        return codes_of(self.model, self.seen, self.labels)

    @cached_property
    def training_codes(self) -> Codes | None:
        if self.seen_training is None or (self.model.is_conditional and self.training_labels is None):
            return None
        return codes_of(self.model, self.seen_training, self.training_labels)

    @property
    def means(self) -> Float[np.ndarray, "images latent"]:
        return self.codes.centres

    @cached_property
    def posteriors(self) -> AggregatePosterior:
        return AggregatePosterior.from_codes(self.codes)

    @cached_property
    def training_posteriors(self) -> AggregatePosterior | None:
        return None if self.training_codes is None else AggregatePosterior.from_codes(self.training_codes)

    # --- scores that no prior has a part in -----------------------------------------------------------------------------------------

    @cached_property
    def at_means(self) -> ReconstructionScores:
        return reconstruction_scores(self.model, self.seen, self.means, self.labels)

    @cached_property
    def baselines(self) -> Baselines | None:
        return None if self.seen_training is None else baselines(self.seen_training, self.seen, self.model.latent_dim)

    @cached_property
    def grey_floor(self) -> Figure | None:
        return grey_floor(self.seen) if self.is_grey else None

    @cached_property
    def probes(self) -> Probes | None:
        """None without labels, or where all are one."""
        if self.labels is None or self.training_labels is None or self.training_codes is None:
            return None
        return probes(self.training_codes.centres, self.training_labels, self.means, self.labels)
