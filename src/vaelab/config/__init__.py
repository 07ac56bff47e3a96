"""The typed configuration that a recipe, a command line and a run folder share: a tree of frozen pydantic models.

Where a part has several kinds, `kind` says which, and its table (`vaelab.kinds`) what its settings are.
"""

from vaelab.config.data import DataConfig
from vaelab.config.model import ModelConfig
from vaelab.config.recipes import load_config, load_recipe, recipe_names
from vaelab.config.training import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    LinearSchedule,
    ScheduleConfig,
    StepSchedule,
    TrainingConfig,
)
from vaelab.config.whole import FORMAT, Config, described_keys, known_keys

__all__ = [
    "FORMAT",
    "Config",
    "ConstantSchedule",
    "CosineSchedule",
    "DataConfig",
    "ExponentialSchedule",
    "LinearSchedule",
    "ModelConfig",
    "ScheduleConfig",
    "StepSchedule",
    "TrainingConfig",
    "described_keys",
    "known_keys",
    "load_config",
    "load_recipe",
    "recipe_names",
]
