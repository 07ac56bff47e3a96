"""The settings of the priors: of those trained with the model, and of those that are only ever fitted to its codes.

A fitted prior's file holds the settings too: they rebuild its shapes, which its arrays then fill.
"""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from vaelab.kinds import PRIORS
from vaelab.settings import PositiveCount, PriorSettings
from vaelab.support import Domain


class NormalPriorSettings(PriorSettings):
    part = "vaelab.priors.normal:NormalPrior"
    is_fixed: ClassVar[bool] = True
    factorises: ClassVar[bool] = True
    kind: Literal["normal"] = "normal"


class MixturePriorSettings(PriorSettings):
    part = "vaelab.priors.mixture:MixturePrior"
    fit: ClassVar[str | None] = "vaelab.fitting.mixture:fit_mixture"
    kind: Literal["mixture"] = Field(default="mixture", description="of Gaussians, learned")
    components: PositiveCount = Field(default=10, description="how many")
    covariance: Literal["diagonal", "full"] = Field(default="diagonal", description="`diagonal`, `full`")


class VampPriorSettings(PriorSettings):
    part = "vaelab.priors.vamp:VampPrior"
    domains: ClassVar[tuple[Domain, ...]] = ("reals", "sphere")
    scores_posteriors: ClassVar[bool] = True
    kind: Literal["vamp"] = Field(default="vamp", description="the mixture of the posteriors of learned pseudo-inputs")
    components: PositiveCount = Field(default=100, description="how many")
    start: Literal["random", "data"] = Field(
        default="random", description="where pseudo-inputs begin: `random` noise, or images of the training `data`"
    )


class FlowPriorSettings(PriorSettings):
    part = "vaelab.priors.flow:FlowPrior"
    fit: ClassVar[str | None] = "vaelab.fitting.flow:fit_flow"
    kind: Literal["flow"] = Field(
        default="flow", description="an invertible network over N(0, I), of rational-quadratic splines"
    )
    flow: Literal["coupling", "masked-autoregressive"] = Field(
        default="masked-autoregressive", description="`coupling`, `masked-autoregressive`"
    )
    layers: PositiveCount = Field(default=4, description="how many")
    width: PositiveCount = Field(default=64, description="of the one hidden layer of each layer's own network")
    knots: Annotated[int, Field(ge=2)] = Field(default=8, description="of each spline")
    affine: Literal["trained", "fixed"] = Field(
        default="trained",
        description="whether the centre and spread that it ends in are `trained` with it, or `fixed` at N(0, I)",
    )


class ClassPriorSettings(PriorSettings):
    part = "vaelab.priors.per_class:ClassPrior"
    needs_labels: ClassVar[bool] = True
    factorises: ClassVar[bool] = True  # that of an image's label is one Gaussian
    kind: Literal["class"] = Field(default="class", description="one Gaussian a label")
    classes: PositiveCount | None = Field(default=None, description="how many labels; written by training")

    def completed(self, *, classes: Callable[[], int]) -> "ClassPriorSettings":
        return self if self.classes is not None else self.model_copy(update={"classes": classes()})


class UniformSpherePriorSettings(PriorSettings):
    part = "vaelab.priors.uniform_sphere:UniformSpherePrior"
    domains: ClassVar[tuple[Domain, ...]] = ("sphere",)
    is_fixed: ClassVar[bool] = True
    kind: Literal["uniform-sphere"] = Field(
        default="uniform-sphere", description="every direction alike, for a posterior on a sphere"
    )


class UniformCodesPriorSettings(PriorSettings):
    part = "vaelab.priors.uniform_codes:UniformCodesPrior"
    domains: ClassVar[tuple[Domain, ...]] = ("codes",)
    is_fixed: ClassVar[bool] = True
    kind: Literal["uniform-codes"] = Field(
        default="uniform-codes", description="every code alike, for a posterior of codes"
    )


# --- fitted afterwards, and never trained with the model ------------------------------------------------------------------------------


class KernelPriorSettings(PriorSettings):
    part = "vaelab.priors.kernel:KernelPrior"
    is_trained: ClassVar[bool] = False
    fit: ClassVar[str | None] = "vaelab.fitting.kernel_density:fit_kernel_density"
    kind: Literal["kde"] = "kde"
    draws: PositiveCount


class SecondStagePriorSettings(PriorSettings):
    part = "vaelab.priors.second_stage:SecondStagePrior"
    is_trained: ClassVar[bool] = False
    fit: ClassVar[str | None] = "vaelab.fitting.second_stage:fit_second_stage"
    exact_up_to: ClassVar[int | None] = 2
    kind: Literal["second-stage"] = "second-stage"
    width: PositiveCount = 128


class AutoregressiveCodesPriorSettings(PriorSettings):
    part = "vaelab.priors.autoregressive_codes:AutoregressiveCodesPrior"
    is_trained: ClassVar[bool] = False
    domains: ClassVar[tuple[Domain, ...]] = ("codes",)
    fit: ClassVar[str | None] = "vaelab.fitting.autoregressive_codes:fit_autoregressive_codes"
    kind: Literal["autoregressive"] = "autoregressive"
    alphabets: tuple[PositiveCount, ...] = Field(min_length=1)
    letter_dim: PositiveCount
    width: PositiveCount = 256


class ByClassPriorSettings(PriorSettings):
    part = "vaelab.priors.by_class:ByClassPrior"
    is_trained: ClassVar[bool] = False
    kind: Literal["by-class"] = "by-class"
    priors: tuple[Annotated[SerializeAsAny[PriorSettings], BeforeValidator(PRIORS.settings)], ...] = Field(min_length=1)
