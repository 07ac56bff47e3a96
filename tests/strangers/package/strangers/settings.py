"""The settings of the strangers: no JAX here."""

from typing import ClassVar, Literal

from pydantic import Field

from vaelab.settings import (
    LikelihoodSettings,
    NetworkSettings,
    ObjectiveSettings,
    PositiveCount,
    PositiveNumber,
    PosteriorSettings,
    PriorSettings,
)


class WaveSettings(NetworkSettings):
    part: ClassVar[str] = "strangers.wave:Wave"
    kind: Literal["wave"] = Field(default="wave", description="sines of random frequencies")
    waves: PositiveCount = Field(default=32, description="how many")


class LaplacePosteriorSettings(PosteriorSettings):
    part: ClassVar[str] = "strangers.laplace:LaplaceFamily"
    kind: Literal["laplace"] = "laplace"


class LaplacePixelsSettings(LikelihoodSettings):
    part: ClassVar[str] = "strangers.laplace:LaplaceFamily"
    kind: Literal["laplace-pixels"] = "laplace-pixels"


class MapAndVectorSettings(PosteriorSettings):
    part: ClassVar[str] = "strangers.map_and_vector:MapAndVector"
    kind: Literal["map-and-vector"] = "map-and-vector"


class StudentSettings(PriorSettings):
    part: ClassVar[str] = "strangers.student:StudentPrior"
    kind: Literal["student"] = "student"
    freedom: PositiveNumber = Field(default=5.0, description="degrees of freedom")


class AdversarialSettings(ObjectiveSettings):
    part: ClassVar[str] = "strangers.adversarial:Adversarial"
    kind: Literal["adversarial"] = "adversarial"
    width: PositiveCount = Field(default=16, description="of the critic")
