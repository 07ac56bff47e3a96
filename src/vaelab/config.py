"""The typed configuration that a recipe, a command line and a run folder share.

A configuration is a tree of frozen pydantic models; where a part has several kinds, `kind` says which. It is read from TOML, changed
by dotted keys (`training.learning_rate`), and written back whole, so that a run is a function of its `config.toml`.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vaelab.errors import VaelabError, nearest_name

FORMAT = 1
"""The version of `config.toml`: a run folder with a larger one was written by a newer vaelab."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveCount = Annotated[int, Field(ge=1)]
PositiveNumber = Annotated[float, Field(gt=0.0)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# --- data ---------------------------------------------------------------------------------------------------------------------------


class DataConfig(Frozen):
    """Which images, and how the model sees their pixels."""

    name: str = "mnist"  # a known name, or the path of a file or folder
    size: PositiveCount | None = None  # resize images to size x size
    pixels: Literal["grey", "dynamic", "threshold", "static"] = "grey"
    static_file: str | None = None  # the binarised images of pixels = "static"
    validation: Literal["held-out", "test", "none"] = "held-out"  # "test": train on all, and validate on the test part
    validation_size: PositiveCount | None = None  # 10,000 of MNIST, a tenth of anything else
    validation_seed: int = 0
    test_seed: int = 0  # of the one draw that dynamic pixels make of the validation and test images

    @property
    def source(self) -> dict[str, Any]:
        """The arguments of `load_data`."""
        return {
            "name_or_path": self.name,
            "size": self.size,
            "validation_size": self.validation_size,
            "validation_seed": self.validation_seed,
            "binarised": self.static_file if self.pixels == "static" else None,
        }


# --- model --------------------------------------------------------------------------------------------------------------------------


class MlpConfig(Frozen):
    kind: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveCount, ...] = (256,)
    activation: Literal["relu", "tanh", "gated"] = "relu"


class GaussianPosteriorConfig(Frozen):
    kind: Literal["gaussian"] = "gaussian"


class DeterministicPosteriorConfig(Frozen):
    kind: Literal["deterministic"] = "deterministic"


class BernoulliConfig(Frozen):
    kind: Literal["bernoulli"] = "bernoulli"


class ContinuousBernoulliConfig(Frozen):
    kind: Literal["continuous-bernoulli"] = "continuous-bernoulli"


class GaussianLikelihoodConfig(Frozen):
    kind: Literal["gaussian"] = "gaussian"
    scale: PositiveNumber = 1.0  # fixed, or where learning begins; in units of the pixels
    learned: bool = False
    floor: PositiveNumber = 1e-3  # a learned scale stays above it

    @model_validator(mode="after")
    def _starts_above_the_floor(self) -> "GaussianLikelihoodConfig":
        if self.learned and self.scale <= self.floor:
            raise ValueError(f"a learned scale begins above its floor; found scale {self.scale} and floor {self.floor}")
        return self


class NormalPriorConfig(Frozen):
    kind: Literal["normal"] = "normal"


class MixturePriorConfig(Frozen):
    """A learned mixture of Gaussians."""

    kind: Literal["mixture"] = "mixture"
    components: PositiveCount = 10
    covariance: Literal["diagonal", "full"] = "diagonal"


class VampPriorConfig(Frozen):
    """The mixture of the posteriors of learned pseudo-inputs, which begin as noise or as training images."""

    kind: Literal["vamp"] = "vamp"
    components: PositiveCount = 100
    start: Literal["random", "data"] = "random"


class FlowPriorConfig(Frozen):
    """An invertible network over N(0, I), by rational-quadratic splines whose shapes small networks choose."""

    kind: Literal["flow"] = "flow"
    flow: Literal["coupling", "masked-autoregressive"] = "masked-autoregressive"
    layers: PositiveCount = 4
    width: PositiveCount = 64  # of the one hidden layer of each conditioner
    knots: Annotated[int, Field(ge=2)] = 8
    affine: Literal["trained", "fixed"] = "trained"  # the centre and spread that the flow ends in


class ClassPriorConfig(Frozen):
    """One Gaussian a label."""

    kind: Literal["class"] = "class"
    classes: PositiveCount | None = None  # as many as the training labels have; a run's config.toml names it


PosteriorConfig = Annotated[GaussianPosteriorConfig | DeterministicPosteriorConfig, Field(discriminator="kind")]
LikelihoodConfig = Annotated[
    BernoulliConfig | ContinuousBernoulliConfig | GaussianLikelihoodConfig, Field(discriminator="kind")
]
PriorConfig = Annotated[
    NormalPriorConfig | MixturePriorConfig | VampPriorConfig | FlowPriorConfig | ClassPriorConfig,
    Field(discriminator="kind"),
]


class ModelConfig(Frozen):
    """The four parts. `image_shape` is what the data have; a run's `config.toml` names it."""

    latent_dim: PositiveCount = 2
    image_shape: tuple[PositiveCount, ...] | None = None
    encoder: MlpConfig = MlpConfig()
    decoder: MlpConfig = MlpConfig()
    posterior: PosteriorConfig = GaussianPosteriorConfig()
    likelihood: LikelihoodConfig = BernoulliConfig()
    prior: PriorConfig = NormalPriorConfig()
    output_bias: Literal["zeros", "data-mean"] = "zeros"  # where the decoder's last layer begins


# --- objective and training ---------------------------------------------------------------------------------------------------------


class ObjectiveConfig(Frozen):
    """What training minimises. `warmup` is the share of all steps over which beta rises linearly from 0."""

    kind: Literal["elbo", "importance-weighted"] = "elbo"
    beta: Annotated[float, Field(ge=0.0)] = 1.0
    warmup: Annotated[float, Field(ge=0.0)] = 0.0
    samples: PositiveCount = 1  # of z for each image

    @model_validator(mode="after")
    def _warmup_fits(self) -> "ObjectiveConfig":
        if self.warmup > 1.0:
            raise ValueError(
                f"warm-up is a share of training, from 0 to 1; found {self.warmup}, which is longer than training"
            )
        return self


class ConstantSchedule(Frozen):
    kind: Literal["constant"] = "constant"


class CosineSchedule(Frozen):
    """Rises linearly over `rise`, then falls as half a cosine to `final`, both shares (of the steps, of the learning rate)."""

    kind: Literal["cosine"] = "cosine"
    rise: Share = 0.0
    final: Share = 0.0


class LinearSchedule(Frozen):
    """Constant until `hold` (a share of the steps), then falls linearly to `final` (a share of the learning rate)."""

    kind: Literal["linear"] = "linear"
    hold: Share = 0.0
    final: Share = 0.0


class ExponentialSchedule(Frozen):
    """Falls by a constant factor a step, to `final` of the learning rate."""

    kind: Literal["exponential"] = "exponential"
    final: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01


class StepSchedule(Frozen):
    """Multiplied by `factor` at each of the shares `at` of training."""

    kind: Literal["steps"] = "steps"
    at: tuple[Share, ...] = (0.5, 0.75)
    factor: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1


ScheduleConfig = Annotated[
    ConstantSchedule | CosineSchedule | LinearSchedule | ExponentialSchedule | StepSchedule, Field(discriminator="kind")
]


class TrainingConfig(Frozen):
    epochs: PositiveCount = 20
    batch_size: PositiveCount = 100
    learning_rate: PositiveNumber = 1e-3
    optimiser: str = "rmsprop"  # by its name in optax
    optimiser_options: dict[str, float | bool] = {}
    schedule: ScheduleConfig = ConstantSchedule()
    clip_norm: PositiveNumber | None = None  # of the gradient of one step
    averaging: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None  # decay of the averaged weights (EMA)
    keep: Literal["last", "best"] = "last"  # best: the weights of the lowest val_loss after the warm-up
    patience: PositiveCount | None = None  # stop after so many epochs without a lower val_loss
    checkpoint_seconds: Annotated[float, Field(ge=0.0)] = 20.0  # at least so long between two checkpoints
    snapshots: Annotated[int, Field(ge=0)] = 24  # for the explorer's replay; 0: none


class Config(Frozen):
    recipe: str | None = None
    seed: int = 0
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _parts_agree(self) -> "Config":
        selects = self.training.keep == "best" or self.training.patience is not None
        if selects and self.data.validation != "held-out":
            raise ValueError(
                "training.keep = 'best' and training.patience choose by val_loss, so they need data.validation = 'held-out'; "
                f"found '{self.data.validation}', and nothing may be chosen by the test images"
            )
        if self.model.posterior.kind == "deterministic" and self.objective.kind != "elbo":
            raise ValueError("a deterministic posterior has no importance weights; use objective.kind = 'elbo'")
        if self.model.posterior.kind == "deterministic" and self.model.prior.kind != "normal":
            raise ValueError(
                "a deterministic posterior has no KL, so training would never move a prior; leave model.prior out, "
                "and fit one afterwards with: vaelab fit-prior"
            )
        if self.data.pixels == "static" and self.data.static_file is None:
            raise ValueError("data.pixels = 'static' needs data.static_file, the file of the binarised images")
        if self.data.pixels != "static" and self.data.static_file is not None:
            raise ValueError(f"data.static_file is read where data.pixels is 'static'; found '{self.data.pixels}'")
        return self

    # --- reading and writing --------------------------------------------------------------------------------------------------------

    @classmethod
    def from_toml(cls, text: str, *, source: str) -> "Config":
        """The configuration in a TOML text.

        Raises:
            VaelabError: naming `source`, where the text is no TOML or a key or value in it is not known.
        """
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise VaelabError(f"{source}: not a TOML file ({error})") from None
        found = values.pop("format", FORMAT)
        if not isinstance(found, int) or found > FORMAT:
            raise VaelabError(
                f"{source}: written by a newer vaelab (format {found}; this one reads up to {FORMAT}). Upgrade: pip install -U vaelab"
            )
        return cls.from_values(values, source=source)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, source: str) -> "Config":
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise VaelabError(f"{source}: {_first_complaint(error)}") from None

    def to_toml(self) -> str:
        """The whole configuration, defaults included; what is None is left out."""
        return tomli_w.dumps({"format": FORMAT, **self.model_dump(exclude_none=True, mode="json")})

    def with_values(self, changes: Mapping[str, Any], *, source: str = "--set") -> "Config":
        """The configuration with some dotted keys changed: `{"training.learning_rate": 3e-4}`.

        A text value is read as TOML where it is TOML (`3e-4`, `true`, `[300, 300]`), otherwise as a string. Changing a `kind`
        resets the part it belongs to.

        Raises:
            VaelabError: for an unknown key (with the nearest known one) or a value of the wrong type or range.
        """
        values = self.model_dump(mode="json")
        known = set(known_keys())
        kinds_first = sorted(changes.items(), key=lambda change: not change[0].endswith(".kind"))
        for key, value in kinds_first:
            parent_key, _, name = key.rpartition(".")
            free = parent_key in known and parent_key.endswith("_options")
            if key not in known and not free:
                raise VaelabError(f"{source}: unknown key '{key}'; {_nearest_key(key, known)}")
            parent = values
            for part in filter(None, parent_key.split(".")):
                parent = parent[part]
            value = _read_value(value) if isinstance(value, str) else value
            if name == "kind" and parent.get("kind") != value:
                parent.clear()
            parent[name] = value
        return Config.from_values(values, source=source)


def known_keys() -> Iterator[str]:
    """Every dotted key of the configuration, over all kinds of all parts."""
    yield from _keys_of(Config, "")


def _keys_of(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for part in _models_in(field.annotation):
            yield from _keys_of(part, f"{prefix}{name}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None and get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _nearest_key(key: str, known: set[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "see docs/configuration.md for all keys"


def _read_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _first_complaint(error: ValidationError) -> str:
    """One line of what pydantic found: the dotted key, what was expected, what came."""
    first = error.errors()[0]
    known = set(known_keys())
    path: list[str] = []
    location = first["loc"]
    for part, following in zip_longest(location, location[1:]):
        # a location also names the kind of a part and places in a list: they are no keys. A kind may share a key's name (a flow's
        # `flow`), but only after a kind comes another name
        is_kind = ".".join([*path, "kind"]) in known and isinstance(following, str)
        if not is_kind and ".".join([*path, str(part)]) in known:
            path.append(str(part))
    if first["type"] == "extra_forbidden":
        if path and path[-1] == str(first["loc"][-1]):
            return f"unknown key '{'.'.join(path)}' here: it belongs to another kind of {'.'.join(path[:-1])}"
        key = ".".join([*path, str(first["loc"][-1])])
        return f"unknown key '{key}'; {_nearest_key(key, known)}"
    message = first["msg"].removeprefix("Value error, ")
    found = "" if first["type"] == "value_error" else f"; found {first['input']!r}"
    return f"{'.'.join(path)}: {message}{found}" if path else message


# --- recipes ------------------------------------------------------------------------------------------------------------------------

RECIPES = Path(__file__).parent / "recipes"


def recipe_names() -> list[str]:
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load_recipe(name: str) -> Config:
    """A named recipe of the package.

    Raises:
        VaelabError: for a name that is none, with the nearest.
    """
    if name not in recipe_names():
        raise VaelabError(f"unknown recipe '{name}'; {nearest_name(name, recipe_names())}")
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    return Config.from_toml(text, source=f"recipe {name}").model_copy(update={"recipe": name})


def load_config(path: Path) -> Config:
    """A configuration file of the user's own; keys that it leaves out have their defaults."""
    if not path.is_file():
        raise VaelabError(
            f"{path}: no such configuration file; give the path of a TOML file, or --recipe with one of {', '.join(recipe_names())}"
        )
    return Config.from_toml(path.read_text(encoding="utf-8"), source=str(path))
