"""What does here what another library has a class for: each model and sampler of pythae with the command that replaces it.

One table, from which `vaelab recipes --like pythae` and docs/from-pythae.md are made. pythae 0.1.2 (Chadebec, Vincent and Allassonnière,
"Pythae: unifying generative autoencoders in Python", NeurIPS 2022).
"""

from dataclasses import dataclass

from vaelab.config.headers import header_of
from vaelab.language import to_translate

TRAIN = "vaelab train --recipe "
FIT = "vaelab fit-prior RUN "
SAMPLE = "vaelab sample RUN"


@dataclass(frozen=True)
class Counterpart:
    """A class of pythae, and what there is in its place."""

    theirs: str
    paper: str  # its number on arXiv, or where it appeared
    command: str | None  # None: there is nothing in its place
    otherwise: str = ""  # what pythae's does otherwise
    why_none: str = ""
    measured: str = ""  # ours and pythae's, by the same measure

    @property
    def recipe(self) -> str | None:
        """The recipe that a training begins as; None for what is no training."""
        return None if self.command is None or not self.command.startswith(TRAIN) else self.command.split()[3]

    @property
    def score(self) -> str:
        """What was measured: beside pythae's, else the recipe's own score; nothing of a recipe with another part in it."""
        if self.measured or self.command is None or self.recipe is None:
            return self.measured
        return header_of(self.recipe).score if self.command == TRAIN + self.recipe else ""


NO_BALL = to_translate("a posterior on the Poincaré ball is not here yet")
HAMILTONIAN = to_translate(
    "its posterior is a path by the gradient of log p(x|z), so q(z|x) would hold the decoder: here an encoder is given images alone"
)
METRIC = to_translate("it draws by a metric that the Riemannian model learns, which is not here")

CODES = "vae --set model.prior.kind=uniform-codes --set model.latent_dim=64 --set model.posterior.kind=vq"

MODELS: tuple[Counterpart, ...] = (
    Counterpart("AE", "–", TRAIN + "autoencoder", "a squared error"),
    Counterpart(
        "VAE",
        "1312.6114",
        TRAIN + "vae",
        "a squared error without a scale, or a cross-entropy; no likelihood is reported",
    ),
    Counterpart("BetaVAE", "ICLR 2017", TRAIN + "beta", "beta is 1 unless it is given"),
    Counterpart(
        "DisentangledBetaVAE",
        "1804.03599",
        TRAIN + "capacity",
        "the distance to C is of each image's KL, where the paper's and ours is of the batch's; C rises by epochs",
    ),
    Counterpart(
        "BetaTCVAE",
        "1802.04942",
        TRAIN + "beta-tc",
        "the weights are 1 unless they are given, which is the ELBO; the whole KL is estimated, where here only what a weight differs from "
        "1 by is",
    ),
    Counterpart(
        "FactorVAE", "1802.05983", TRAIN + "factor", "one half of a batch trains the VAE, where here the whole does"
    ),
    Counterpart(
        "VAE_LinNF",
        "1505.05770",
        TRAIN + "vae --set model.posterior.kind=planar",
        "radial steps too; the steps are the same for every image, where here the encoder sets them",
    ),
    Counterpart(
        "VAE_IAF",
        "1606.04934",
        TRAIN + "vae --set model.posterior.kind=inverse-autoregressive",
        "networks of three hidden layers in each step",
    ),
    Counterpart("IWAE", "1509.00519", TRAIN + "iwae", "nothing"),
    Counterpart(
        "MIWAE",
        "1802.04537",
        TRAIN + "miwae",
        "weights are normalised over the estimates and averaged over the draws of each: 5 estimates of 10 draws are 10 bounds of 5",
    ),
    Counterpart(
        "PIWAE",
        "1802.04537",
        TRAIN + "piwae",
        "as MIWAE; encoder and decoder have an optimiser each, here one loss two gradients",
    ),
    Counterpart("CIWAE", "1802.04537", TRAIN + "ciwae", "nothing"),
    Counterpart(
        "MSSSIM_VAE",
        "1511.06409",
        TRAIN + "ms-ssim",
        "1 - MS-SSIM, which is 1 at most, beside a whole KL in nats, and no likelihood; windows reach over the image's edge",
    ),
    Counterpart(
        "WAE_MMD",
        "1711.01558",
        TRAIN + "wae",
        "the sum over the kernel's widths, here their mean, times the size of the batch; a squared error",
    ),
    Counterpart(
        "INFOVAE_MMD",
        "1706.02262",
        TRAIN + "info",
        "as WAE_MMD; with its defaults, alpha 0 and lambda 0.001, the discrepancy weighs -0.999, which drives codes from the prior",
    ),
    Counterpart(
        "VAMP",
        "1705.07120",
        TRAIN + "vamp",
        "50 pseudo-inputs, made by a layer from an identity matrix",
        measured="exact NLL 147.74 ± 0.39; pythae's 146.79 ± 0.30",
    ),
    Counterpart(
        "SVAE",
        "1804.00891",
        TRAIN + "vae --set model.posterior.kind=von-mises-fisher --set model.prior.kind=uniform-sphere",
        "the same density",
    ),
    Counterpart("PoincareVAE", "1901.06033", None, why_none=NO_BALL),
    Counterpart(
        "Adversarial_AE",
        "1511.05644",
        TRAIN + "adversarial",
        "a Gaussian posterior, whose spread nothing keeps; the weights of both terms sum to 1",
    ),
    Counterpart(
        "VAEGAN",
        "1512.09300",
        TRAIN + "vae-gan",
        "no likelihood of pixels beside, as in the paper (here objective.pixels = 0); the critic sees no reconstructions; a player stands "
        "still while a loss is outside of a margin",
    ),
    Counterpart(
        "VQVAE",
        "1711.00937",
        TRAIN + CODES,
        "a squared error, codes by gradient unless use_ema, one code an image where its encoder gives no map",
    ),
    Counterpart(
        "HRQVAE",
        "ACL 2022",
        TRAIN + CODES + " --set model.posterior.books=4",
        "by its parameters: levels drawn at a temperature, with a KL, and left out at random",
    ),
    Counterpart("HVAE", "1805.11328", None, why_none=HAMILTONIAN),
    Counterpart("RHVAE", "2105.00026", None, why_none=HAMILTONIAN),
    Counterpart(
        "RAE_L2",
        "1903.12436",
        TRAIN + "rae-l2",
        "the decoder's weight decay is left to the optimiser that its user gives",
    ),
    Counterpart(
        "RAE_GP",
        "1903.12436",
        TRAIN + "rae-gp",
        "the gradient is that of the sum of all pixels by the image, through encoder and decoder; here the paper's, of the picture by z",
    ),
)

SAMPLERS: tuple[Counterpart, ...] = (
    Counterpart("NormalSampler", "–", SAMPLE, measured="exact NLL 152.30 ± 2.20, pythae's 151.77 ± 1.13"),
    Counterpart(
        "GaussianMixtureSampler",
        "–",
        FIT + "mixture",
        "10 components unless given, here by held-out likelihood; no density is said",
        measured="exact NLL 151.88 ± 2.24, pythae's 151.34 ± 1.08",
    ),
    Counterpart("TwoStageVAESampler", "1903.05789", FIT + "second-stage", "two hidden layers of 1,024"),
    Counterpart(
        "VAMPSampler",
        "1705.07120",
        SAMPLE,
        "it takes tanh of the log-variances, and so draws from another density than was trained",
        measured="exact NLL 147.74 ± 0.39, pythae's 147.12 ± 0.23 under what it draws from",
    ),
    Counterpart(
        "HypersphereUniformSampler", "1804.00891", SAMPLE, "a sampler beside the model, where here the prior is its own"
    ),
    Counterpart("PoincareDiskSampler", "1901.06033", None, why_none=NO_BALL),
    Counterpart("RHVAESampler", "2105.00026", None, why_none=METRIC),
    Counterpart(
        "MAFSampler",
        "1705.07057",
        FIT + "flow",
        "affine steps, here splines",
        measured="exact NLL 151.88 ± 2.24, pythae's 151.38 ± 1.06",
    ),
    Counterpart(
        "IAFSampler",
        "1606.04934",
        FIT + "flow",
        "its density takes a pass for each dimension; the same family turned round",
    ),
    Counterpart("PixelCNNSampler", "1606.05328", FIT + "autoregressive", "masked convolutions over the map of codes"),
)
