"""What numbers an evaluation has, and what each of them depends on."""

import dataclasses

import numpy as np
from jaxtyping import Float

from vaelab.evaluation.baselines import Baselines
from vaelab.evaluation.figure import Figure
from vaelab.evaluation.latents import LatentUse, Probes
from vaelab.evaluation.neighbours import Memorisation
from vaelab.evaluation.prior_fit import PriorFit
from vaelab.evaluation.sample_quality import SampleQuality

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
    - `reconstruction_squared_error`: of the decoder's mean at the posterior mean, summed over pixels
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
