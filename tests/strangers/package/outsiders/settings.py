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
    part: ClassVar[str] = "outsiders.wave:Wave"
    kind: Literal["wave"] = Field(default="wave", description="sines of random frequencies")
    waves: PositiveCount = Field(default=32, description="how many")


class LaplacePosteriorSettings(PosteriorSettings):
    part: ClassVar[str] = "outsiders.laplace:LaplaceFamily"
    kind: Literal["laplace"] = "laplace"


class LaplacePixelsSettings(LikelihoodSettings):
    part: ClassVar[str] = "outsiders.laplace:LaplaceFamily"
    kind: Literal["laplace-pixels"] = "laplace-pixels"


class MapAndVectorSettings(PosteriorSettings):
    part: ClassVar[str] = "outsiders.map_and_vector:MapAndVector"
    kind: Literal["map-and-vector"] = "map-and-vector"


class StudentSettings(PriorSettings):
    part: ClassVar[str] = "outsiders.student:StudentPrior"
    kind: Literal["student"] = "student"
    freedom: PositiveNumber = Field(default=5.0, description="degrees of freedom")


class AdversarialSettings(ObjectiveSettings):
    part: ClassVar[str] = "outsiders.adversarial:Adversarial"
    kind: Literal["adversarial"] = "adversarial"
    width: PositiveCount = Field(default=16, description="of the critic")
