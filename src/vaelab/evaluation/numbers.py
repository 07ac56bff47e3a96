"""What numbers an evaluation has, and what each of them depends on."""

import dataclasses
import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from vaelab.evaluation.baselines import Baselines
from vaelab.evaluation.code_use import CodeUse
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.evaluation.label_scores import LabelScores
from vaelab.evaluation.latents import LatentUse, Probes
from vaelab.evaluation.neighbours import Memorisation
from vaelab.evaluation.prior_fit import PriorFit
from vaelab.evaluation.sample_quality import SampleQuality
from vaelab.support import LEVELS

Condition = Literal["none", "given", "marginal"]

FORMAT = "vaelab-evaluation-1"


@dataclasses.dataclass(frozen=True)
class Setting:
    """What every number of an evaluation depends on beside the model. Results that differ in it never share a column.

    - `data`, `split`, `images`: which images, and how many; `digest`: of all of them, as the model sees them
    - `pixels`: `grey`, `dynamic`, `threshold` or `static`; `pixel_seed`: of the one draw that `dynamic` makes of them
    - `likelihood`: the model's p(x|z): scores of different likelihoods are in different units
    - `prior`: `trained`, or the name of a fitted one; `scoring`: how its likelihood may be had (`any`, `quadrature`, `bound`)
    - `importance_samples`: K; None where importance sampling was not done
    - `proposal_widths`: what they were drawn from, in sigmas of q(z|x); (1,): q(z|x) alone, as in the papers
    - `seed`: of latent draws
    - `condition`: what log p(x) is given: `none`, of a model that sees no labels; each image's label, log p(x|y) (`given`); or none, the
      sum over labels, log sum_y p(y) p(x|y) (`marginal`). The ELBO and its parts, and all that is said of codes, are given the label in
      either
    """

    data: str
    split: str
    images: int
    pixels: str
    pixel_seed: int
    likelihood: str
    levels: int | None  # on which it is a probability; None: a density
    latent_dim: int
    prior: str
    scoring: str
    importance_samples: int | None
    proposal_widths: tuple[float, ...] | None
    seed: int
    digest: str = ""
    values: int = 0  # numbers of one image, by which bits are shared out
    condition: Condition = "none"


@dataclasses.dataclass(frozen=True)
class Numbers:
    """All figures in nats per image unless said otherwise; None where a number cannot be had, with the reason in `reasons`.

    - `elbo` = -(`reconstruction` + `kl`), the two being positive nats; `elbo_by`: how
    - `nll_importance`: -log p(x) by importance sampling, an upper bound on average, of the first `n` images where not all were sampled;
      `monte_carlo_error`: the error of its mean that comes from the samples, beside the one over images; `importance_excess`: what it is
      above the exact one, image by image
    - `nll_quadrature`: exact -log p(x), one or two latent dimensions; `quadrature_error_mean`, `quadrature_error_maximum`: what halving
      the grid changed; `inference_gap`: KL(q(z|x) || p(z|x)), exact
    - `grey_floor`: what a cross-entropy on these pixels cannot fall below; None for binary pixels
    - `samples`: the quality of decoded draws; `samples_floor`: the same figures of real training images, which no model is expected to beat
    - `by_label`: how well p(y|x) tells labels, and its calibration; where log p(x) is marginal over labels
    - `code_use`: how many codes a model of codes uses, and how evenly
    - `reconstruction_squared_error`: of the decoder's mean at the posterior mean, summed over pixels
    - `reconstruction_feature_distance`: how far that mean lies from the image in the features of `samples`' network, 1 being as far as
      another image; None where no network was asked for
    """

    setting: Setting
    elbo: Figure | None
    elbo_by: str
    reconstruction: Figure
    kl: Figure | None
    nll_importance: Figure | None
    monte_carlo_error: float | None
    importance_excess: Figure | None
    nll_quadrature: Figure | None
    quadrature_error_mean: float | None
    quadrature_error_maximum: float | None
    inference_gap: Figure | None
    grey_floor: Figure | None
    prior_fit: PriorFit | None
    latents: LatentUse | None
    active_units: Figure
    probes: Probes | None
    reconstruction_squared_error: Figure
    baselines: Baselines | None
    samples: SampleQuality | None
    samples_floor: SampleQuality | None
    memorisation: Memorisation | None
    reasons: dict[str, str]
    per_image: dict[str, Float[np.ndarray, " images"]]
    reconstruction_feature_distance: Figure | None = None
    by_label: LabelScores | None = None
    code_use: CodeUse | None = None

    @property
    def nll_given(self) -> Figure | None:
        """-log p(x|y) of the same images, where the score itself is marginal over labels."""
        found = self.per_image.get("nll_given")
        return None if found is None else mean_figure(found, self.reconstruction.over)

    @property
    def bits_per_dimension(self) -> Figure | None:
        """-log2 p(x) for each number of an image, by the best of what there is; None unless p(x|z) is over the 256 levels of a pixel: a
        density's nats are of other units.
        """
        nats = self.nll_quadrature or self.nll_importance
        if nats is None and self.elbo is not None:
            nats = dataclasses.replace(self.elbo, value=-self.elbo.value)
        if nats is None or self.setting.levels != LEVELS.levels or not self.setting.values:
            return None
        share = 1.0 / (self.setting.values * math.log(2.0))
        error = None if nats.standard_error is None else nats.standard_error * share
        return dataclasses.replace(nats, value=nats.value * share, standard_error=error)
