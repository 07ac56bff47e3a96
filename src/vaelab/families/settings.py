"""The settings of the families of q(z|x) and p(x|z)."""

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from vaelab.language import translated
from vaelab.settings import LikelihoodSettings, PositiveNumber, PosteriorSettings, rounded
from vaelab.support import BINARY, UNIT_INTERVAL, Support

# --- q(z|x) -------------------------------------------------------------------------------------------------------------------------


class GaussianPosteriorSettings(PosteriorSettings):
    part = "vaelab.families.diagonal_gaussian:DiagonalGaussian"
    kind: Literal["gaussian"] = Field(default="gaussian", description="diagonal")


class DeterministicPosteriorSettings(PosteriorSettings):
    part = "vaelab.families.point_mass:PointMass"
    has_density: ClassVar[bool] = False
    kind: Literal["deterministic"] = Field(default="deterministic", description="a plain autoencoder")


# --- p(x|z) -------------------------------------------------------------------------------------------------------------------------


class BernoulliSettings(LikelihoodSettings):
    part = "vaelab.families.bernoulli_pixels:BernoulliPixels"
    support: ClassVar[Support] = BINARY
    kind: Literal["bernoulli"] = "bernoulli"


class ContinuousBernoulliSettings(LikelihoodSettings):
    part = "vaelab.families.continuous_bernoulli_pixels:ContinuousBernoulliPixels"
    support: ClassVar[Support] = UNIT_INTERVAL
    kind: Literal["continuous-bernoulli"] = Field(
        default="continuous-bernoulli", description="the proper one for grey pixels"
    )


class GaussianLikelihoodSettings(LikelihoodSettings):
    part = "vaelab.families.gaussian_pixels:GaussianPixels"
    kind: Literal["gaussian"] = "gaussian"
    scale: PositiveNumber | Literal["auto"] = Field(
        default="auto", description="fixed, or where learning begins, in units of the pixels; `auto`: by the data"
    )
    learned: bool = Field(default=False, description="one scale for all pixels, learned")
    floor: PositiveNumber = Field(default=1e-3, description="a learned scale stays above it")

    def completed(self, *, spread: Callable[[], float]) -> "GaussianLikelihoodSettings":
        if self.scale != "auto":
            return self
        return self.model_copy(update={"scale": rounded(max(spread(), 2.0 * self.floor))})

    @model_validator(mode="after")
    def _starts_above_the_floor(self) -> "GaussianLikelihoodSettings":
        if self.learned and self.scale != "auto" and self.scale <= self.floor:
            raise ValueError(
                translated(
                    "a learned scale begins above its floor; found scale {scale} and floor {floor}",
                    scale=self.scale,
                    floor=self.floor,
                )
            )
        return self
