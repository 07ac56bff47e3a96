"""The settings of the networks."""

from typing import Literal

from pydantic import Field

from vaelab.settings import NetworkSettings, PositiveCount


class MlpSettings(NetworkSettings):
    part = "vaelab.networks.mlp:Mlp"
    kind: Literal["mlp"] = Field(default="mlp", description="multilayer perceptron")
    hidden: tuple[PositiveCount, ...] = Field(default=(256,), description="widths, from the input on")
    activation: Literal["relu", "tanh", "gated"] = Field(default="relu", description="`relu`, `tanh`, `gated`")
