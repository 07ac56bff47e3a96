"""The settings of the objectives."""

from typing import ClassVar, Literal

from pydantic import Field

from vaelab.settings import ObjectiveSettings


class ElboSettings(ObjectiveSettings):
    part = "vaelab.objectives.elbo:Elbo"
    kind: Literal["elbo"] = Field(default="elbo", description="the evidence lower bound")


class ImportanceWeightedSettings(ObjectiveSettings):
    part = "vaelab.objectives.importance_weighted:ImportanceWeighted"
    needs_density: ClassVar[bool] = True
    kind: Literal["importance-weighted"] = Field(
        default="importance-weighted", description="the bound of `samples` weighted draws"
    )
