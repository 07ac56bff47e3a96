"""Every number of a model on held-out images, with what its error is over, in one object."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Int, Num

from vaelab.evaluation.bounds import SAMPLES
from vaelab.evaluation.coded import CodedImages
from vaelab.evaluation.condition import checked_condition
from vaelab.evaluation.feature_networks import FeatureNetwork
from vaelab.evaluation.measuring import Asked, Progress, measured
from vaelab.evaluation.numbers import Condition, Numbers
from vaelab.evaluation.record import as_json
from vaelab.evaluation.report import as_table
from vaelab.model import Model
from vaelab.pixels import Pixels


@dataclasses.dataclass(frozen=True)
class Evaluation(Numbers):
    """The `Numbers` of a model, as a notebook and a file show them."""

    def to_json(self) -> dict[str, Any]:
        """One flat object of JSON values: every number is {"value", "standard_error", "over", "n"}."""
        return as_json(self)

    def _repr_html_(self) -> str:
        return as_table(self)


def evaluate(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    training_images: Num[np.ndarray, "training ..."] | None = None,
    *,
    labels: Int[np.ndarray, " images"] | None = None,
    training_labels: Int[np.ndarray, " training"] | None = None,
    pixels: Pixels = "grey",
    pixel_seed: int = 0,
    reference_images: Num[np.ndarray, "reference ..."] | None = None,
    importance_samples: int | None = None,
    condition: Condition | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
    features: FeatureNetwork | None = None,
    data: str = "images",
    split: str = "test",
    prior_name: str = "trained",
    untrained_reason: str | None = None,
    note: str = "",
    on_progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Every number of a model on held-out images.

    **Arguments:**

    - `images`, `training_images`: of the model's shape, uint8 or floats as the model was trained on, before the pixel treatment
      Without `training_images` what rests on them is left out: for `untrained_reason`, if that is given
    - `labels`, `training_labels`: for the probes
    - `note`: what a reader has to know of the images; it stands among the reasons
    - `pixels`, `pixel_seed`: the treatment; `dynamic` draws both sets once
    - `reference_images`: grey images that samples are compared with; `images` unless given
    - `importance_samples`: K; 500 unless given. Asked for by name, it is an error where it cannot be done
    - `condition`: of a model that sees labels `marginal`, which other models' scores stand beside, or `given`; of any other `none`
    - `samples`: decoded draws of the prior for sample quality; 0: none
    - `features`: the feature network that judges them; none: no sample quality
    - `on_progress`: called with (what, done, in all)

    **Raises:** `VaelabError` for images that the model cannot score, K < 1, and K asked for where no importance sampling can be done (an
    autoencoder, a prior scored by quadrature only).
    """
    coded = CodedImages(
        model,
        images,
        training_images,
        labels=labels,
        training_labels=training_labels,
        pixels=pixels,
        pixel_seed=pixel_seed,
    )
    return evaluate_coded(
        model,
        coded,
        reference_images=reference_images,
        importance_samples=importance_samples,
        condition=condition,
        seed=seed,
        samples=samples,
        features=features,
        data=data,
        split=split,
        prior_name=prior_name,
        untrained_reason=untrained_reason,
        note=note,
        on_progress=on_progress,
    )


def evaluate_coded(
    model: Model,
    coded: CodedImages,
    *,
    reference_images: Num[np.ndarray, "reference ..."] | None = None,
    importance_samples: int | None = None,
    condition: Condition | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
    features: FeatureNetwork | None = None,
    data: str = "images",
    split: str = "test",
    prior_name: str = "trained",
    untrained_reason: str | None = None,
    note: str = "",
    on_progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """`evaluate` of images that may be coded already: `model` is `coded`'s, with this or another prior."""
    found = measured(
        Asked(
            model=model,
            coded=coded,
            reference=coded.raw if reference_images is None else reference_images,
            importance_samples=importance_samples,
            condition=checked_condition(model, condition),
            seed=seed,
            samples=samples,
            features=features,
            data=data,
            split=split,
            prior_name=prior_name,
            untrained_reason=untrained_reason,
            note=note,
            on_progress=on_progress,
        )
    )
    return Evaluation(**{field.name: getattr(found, field.name) for field in dataclasses.fields(found)})
