"""The settings of the networks."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from vaelab.kinds import NETWORKS
from vaelab.settings import NetworkSettings, PositiveCount


class MlpSettings(NetworkSettings):
    part = "vaelab.networks.mlp:Mlp"
    is_flat: ClassVar[bool] = True
    kind: Literal["mlp"] = Field(default="mlp", description="multilayer perceptron")
    hidden: tuple[PositiveCount, ...] = Field(default=(256,), description="widths, from the input on")
    activation: Literal["relu", "tanh", "gated"] = Field(default="relu", description="`relu`, `tanh`, `gated`")


class ConditionedSettings(NetworkSettings):
    """Of a network that is told the label. No configuration names it: `model.condition = "labels"` puts it around its networks."""

    part = "vaelab.networks.conditioned:Conditioned"
    is_named: ClassVar[bool] = False
    kind: Literal["conditioned"] = "conditioned"
    network: Annotated[SerializeAsAny[NetworkSettings], BeforeValidator(NETWORKS.settings)]
    classes: PositiveCount | None = None
