"""The settings of the objectives."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from vaelab.kinds import NETWORKS
from vaelab.language import translated
from vaelab.settings import ObjectiveSettings, PositiveCount, PositiveNumber, PosteriorSettings, PriorSettings, Share

Weight = Annotated[float, Field(ge=0.0)]


class ElboSettings(ObjectiveSettings):
    part = "vaelab.objectives.elbo:Elbo"
    kind: Literal["elbo"] = Field(default="elbo", description="the evidence lower bound")


class ImportanceWeightedSettings(ObjectiveSettings):
    part = "vaelab.objectives.importance_weighted:ImportanceWeighted"
    needs_density: ClassVar[bool] = True
    kind: Literal["importance-weighted"] = Field(
        default="importance-weighted", description="the bound of `samples` weighted draws"
    )
    bounds: PositiveCount = Field(
        default=1, description="so many bounds of `samples` draws each are averaged (MIWAE), M of K"
    )
    decoder: Literal["averaged", "joint"] = Field(
        default="averaged",
        description="what decoder and prior learn by: the `averaged` bounds, or the `joint` one of all draws (PIWAE)",
    )
    elbo_share: Share = Field(default=0.0, description="the share that the ELBO of the same draws has in it (CIWAE)")
    gradient: Literal["standard", "doubly-reparameterised"] = Field(
        default="standard",
        description="the encoder's: `standard`, or `doubly-reparameterised`, which does not drown in its noise as `samples` grow",
    )

    def refusal(self, posterior: PosteriorSettings, prior: PriorSettings) -> str | None:
        del prior
        if self.gradient == "doubly-reparameterised" and not posterior.scores_any:
            return translated(
                "objective.gradient = 'doubly-reparameterised' needs the gradient of log q(z|x) by z with its parameters held, which a "
                "{kind} posterior does not offer; use objective.gradient = 'standard'",
                kind=posterior.kind,
            )
        return None


class FreeBitsSettings(ObjectiveSettings):
    part = "vaelab.objectives.free_bits:FreeBits"
    needs_density: ClassVar[bool] = True
    one_draw: ClassVar[bool] = True
    kind: Literal["free-bits"] = Field(default="free-bits", description="a KL below so many nats costs nothing more")
    free_nats: Weight = Field(default=0.125, description="nats of KL that each of `of` may have for nothing")
    of: Literal["dimensions", "whole"] = Field(
        default="dimensions", description="each of the `dimensions` of z, or the `whole` of it"
    )

    def refusal(self, posterior: PosteriorSettings, prior: PriorSettings) -> str | None:
        if self.of == "dimensions" and not (posterior.factorises and prior.factorises):
            kind = prior.kind if posterior.factorises else posterior.kind
            return translated(
                "objective.of = 'dimensions' asks for the KL of each dimension of z, which there is not with '{kind}'; use objective.of = "
                "'whole', and objective.free_nats for all dimensions together",
                kind=kind,
            )
        return None


class CapacitySettings(ObjectiveSettings):
    part = "vaelab.objectives.capacity:Capacity"
    needs_density: ClassVar[bool] = True
    one_draw: ClassVar[bool] = True
    kind: Literal["capacity"] = Field(
        default="capacity", description="the KL is held at a capacity that rises over the warm-up"
    )
    capacity: Weight = Field(default=25.0, description="nats of KL that are aimed at, at the end of the warm-up")
    gamma: Weight = Field(default=100.0, description="the weight of the distance to it")


class TotalCorrelationSettings(ObjectiveSettings):
    part = "vaelab.objectives.total_correlation:TotalCorrelation"
    needs_density: ClassVar[bool] = True
    needs_factorised: ClassVar[bool] = True
    one_draw: ClassVar[bool] = True
    least_batch: ClassVar[int] = 2
    kind: Literal["total-correlation"] = Field(
        default="total-correlation", description="the KL in three parts, each with a weight (beta-TCVAE)"
    )
    total_correlation: Weight = Field(
        default=6.0, description="the weight of KL(q(z) ‖ prod_d q(z_d)) within the KL; 1 leaves it as it is"
    )
    mutual_information: Weight = Field(default=1.0, description="likewise that of I(x; z)")
    dimensions: Weight = Field(default=1.0, description="likewise that of KL(prod_d q(z_d) ‖ p(z))")
    estimator: Literal["stratified", "weighted"] = Field(
        default="stratified",
        description="of q(z) from a batch: `stratified` (unbiased; counts the training images) or `weighted` (the batch's own mixture)",
    )
    images: PositiveCount | None = Field(
        default=None, description="how many training images there are; written by training"
    )

    def completed(self, *, images: int) -> "TotalCorrelationSettings":
        return self if self.images is not None else self.model_copy(update={"images": images})


class MmdSettings(ObjectiveSettings):
    part = "vaelab.objectives.mmd:Mmd"
    one_draw: ClassVar[bool] = True
    least_batch: ClassVar[int] = 2
    kind: Literal["mmd"] = Field(
        default="mmd", description="a maximum mean discrepancy of q(z) and p(z) beside the KL (WAE, InfoVAE)"
    )
    weight: Weight = Field(default=1000.0, description="of the discrepancy")
    kernel: Literal["imq", "rbf"] = Field(default="imq", description="inverse multiquadric, or Gaussian")
    scales: tuple[PositiveNumber, ...] = Field(
        default=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        min_length=1,
        description="of the kernels that are averaged: each the square of its width, in units of 2 x the dimensions of z",
    )


class DipSettings(ObjectiveSettings):
    part = "vaelab.objectives.dip:Dip"
    one_draw: ClassVar[bool] = True
    least_batch: ClassVar[int] = 2
    kind: Literal["dip"] = Field(
        default="dip", description="the covariance of the aggregate posterior is drawn to the identity (DIP-VAE)"
    )
    of: Literal["means", "draws"] = Field(
        default="means", description="the covariance of the posteriors' `means` (DIP I), or of their `draws` (DIP II)"
    )
    off_diagonal: Weight = Field(default=10.0, description="the weight of its entries off the diagonal, squared")
    diagonal: Weight = Field(default=100.0, description="of the squares of what those on it differ from 1 by")

    def refusal(self, posterior: PosteriorSettings, prior: PriorSettings) -> str | None:
        del prior
        if self.of == "draws" and not posterior.factorises:
            return translated(
                "objective.of = 'draws' asks for the variance of each entry of a factorised q(z|x), which a {kind} posterior does not "
                "have; use objective.of = 'means'",
                kind=posterior.kind,
            )
        return None


class RegularisedSettings(ObjectiveSettings):
    part = "vaelab.objectives.regularised:Regularised"
    one_draw: ClassVar[bool] = True
    kind: Literal["regularised"] = Field(
        default="regularised", description="small codes and a smooth decoder in the place of noise (RAE)"
    )
    code: Weight = Field(default=0.5, description="the weight of half of the code's square")
    penalty: Literal["l2", "gradient", "spectral"] = Field(
        default="l2",
        description="of the decoder: its weights' squares, the square of its Jacobian, or that of each weight's largest singular value",
    )
    weight: Weight = Field(default=1e-3, description="of the penalty")


class CriticSettings(ObjectiveSettings):
    """Of an objective with a critic of codes: a perceptron, and a player of its own."""

    one_draw: ClassVar[bool] = True
    least_batch: ClassVar[int] = 2
    critic: tuple[PositiveCount, ...] = Field(default=(256, 256), description="widths of the critic")
    critic_rate: PositiveNumber = Field(default=1e-4, description="its learning rate, with Adam")


class FactorSettings(CriticSettings):
    part = "vaelab.objectives.factor:Factor"
    least_batch: ClassVar[int] = 4
    kind: Literal["factor"] = Field(
        default="factor", description="the total correlation as a critic tells it, beside the KL (FactorVAE)"
    )
    weight: Weight = Field(default=10.0, description="of the total correlation")


class AdversarialSettings(CriticSettings):
    part = "vaelab.objectives.adversarial:Adversarial"
    kind: Literal["adversarial"] = Field(
        default="adversarial", description="a critic tells codes from draws of the prior, beside the KL (AAE)"
    )
    weight: Weight = Field(default=10.0, description="of what the encoder is told by the critic, in nats")


def _known_network(value: str) -> str:
    NETWORKS.settings(value)
    return value


class VaeGanSettings(ObjectiveSettings):
    part = "vaelab.objectives.vae_gan:VaeGan"
    one_draw: ClassVar[bool] = True
    kind: Literal["vae-gan"] = Field(
        default="vae-gan", description="a critic tells images from pictures, and its features compare them"
    )
    critic: Annotated[str, BeforeValidator(_known_network)] = Field(
        default="convolutional", description="the kind of its network, as it is by default"
    )
    critic_rate: PositiveNumber = Field(default=1e-4, description="its learning rate, with Adam")
    features: Weight = Field(
        default=1.0, description="the weight of half of the square between the critic's features of image and picture"
    )
    weight: Weight = Field(default=1.0, description="of what the decoder is told by the critic, in nats")
    pixels: Weight = Field(
        default=1.0,
        description="of the likelihood's own reconstruction; the paper has 0, and then no scale of a likelihood is learned",
    )

    @model_validator(mode="after")
    def _learns_to_reconstruct(self) -> "VaeGanSettings":
        if self.features == self.pixels == 0.0:
            raise ValueError(
                translated(
                    "objective.features and objective.pixels are both 0, so nothing would be reconstructed; give one a weight, such as 1"
                )
            )
        return self


class MsSsimSettings(ObjectiveSettings):
    part = "vaelab.objectives.ms_ssim:MsSsim"
    one_draw: ClassVar[bool] = True
    kind: Literal["ms-ssim"] = Field(
        default="ms-ssim", description="structural similarity of image and picture beside log p(x|z)"
    )
    weight: Weight = Field(default=1000.0, description="of 1 - MS-SSIM, in nats")
    pixels: Weight = Field(default=0.1, description="of the likelihood's own reconstruction")
    window: Annotated[int, Field(ge=3)] = Field(default=11, description="pixels a side of the Gaussian window")
    scales: Annotated[int, Field(ge=1, le=5)] | Literal["auto"] = Field(
        default="auto",
        description="how often less one the image is halved; `auto`: as often as the window fits, 5 at most",
    )
    data_range: PositiveNumber = Field(default=1.0, description="between the lowest and the highest pixel")
