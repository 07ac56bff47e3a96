"""How a model is trained: schedules of the learning rate, and all else that no part of the model knows."""

from typing import Annotated, Literal

from pydantic import Field

from vaelab.settings import Frozen, PositiveCount, PositiveNumber, Share

FINAL = "the share of the rate that is left at the end"


class ConstantSchedule(Frozen):
    kind: Literal["constant"] = "constant"


class CosineSchedule(Frozen):
    kind: Literal["cosine"] = Field(default="cosine", description="falls as half a cosine")
    rise: Share = Field(default=0.0, description="the share of steps over which the rate rises from 0")
    final: Share = Field(default=0.0, description=FINAL)


class LinearSchedule(Frozen):
    kind: Literal["linear"] = Field(default="linear", description="constant, then falls linearly")
    hold: Share = Field(default=0.0, description="the share of steps before it falls")
    final: Share = Field(default=0.0, description=FINAL)


class ExponentialSchedule(Frozen):
    kind: Literal["exponential"] = Field(default="exponential", description="falls by a constant factor a step")
    final: Annotated[float, Field(gt=0.0, le=1.0)] = Field(default=0.01, description=FINAL)


class StepSchedule(Frozen):
    kind: Literal["steps"] = "steps"
    at: tuple[Share, ...] = Field(default=(0.5, 0.75), description="at which shares of training the rate is multiplied")
    factor: Annotated[float, Field(gt=0.0, le=1.0)] = Field(default=0.1, description="by what")


ScheduleConfig = Annotated[
    ConstantSchedule | CosineSchedule | LinearSchedule | ExponentialSchedule | StepSchedule, Field(discriminator="kind")
]


class TrainingConfig(Frozen):
    epochs: PositiveCount = Field(default=20, description="passes over the training images")
    batch_size: PositiveCount = Field(
        default=100, description="images a step, at most all; what is left of an epoch waits for the next"
    )
    learning_rate: PositiveNumber = Field(default=1e-3, description="at its highest")
    first_layer_rate: Annotated[float, Field(gt=0.0, le=1.0)] | Literal["auto"] = Field(
        default="auto",
        description="the share of it that the encoder's first layer takes, which reads the pixels; `auto`: by the data",
    )
    # the page of all keys puts the names in, which only training knows
    optimiser: str = Field(default="rmsprop", description="{optimisers} (optax)")
    optimiser_options: dict[str, float | bool] = Field(
        default={}, description="its options by optax's names: `--set training.optimiser_options.b2=0.99`"
    )
    schedule: ScheduleConfig = ConstantSchedule()
    clip_norm: PositiveNumber | None = Field(default=None, description="the largest norm of a step's gradient")
    averaging: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        default=None, description="the decay of averaged weights (EMA), which are then scored and kept"
    )
    keep: Literal["last", "best"] = Field(
        default="last", description="`last`; `best`: the weights of the lowest val_loss after the (last) warm-up"
    )
    patience: PositiveCount | None = Field(
        default=None,
        description="stop after so many epochs without a lower val_loss, counted from the (last) warm-up's end",
    )
    checkpoint_seconds: Annotated[float, Field(ge=0.0)] = Field(
        default=20.0, description="at least so long between two checkpoints"
    )
    snapshots: Annotated[int, Field(ge=0)] = Field(
        default=24, description="at most so many, for the explorer's replay; 0: none"
    )
