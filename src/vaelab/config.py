"""The typed configuration that a recipe, a command line and a run folder share.

A configuration is a tree of frozen pydantic models; where a part has several kinds, `kind` says which. It is read from TOML, changed
by dotted keys (`training.learning_rate`), and written back whole, so that a run is a function of its `config.toml`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from vaelab.config_keys import first_complaint, keys_of, nearest_key, parts_in, read_value, room_at
from vaelab.errors import VaelabError, nearest_name

FORMAT = 1
"""The version of `config.toml`: a run folder with a larger one was written by a newer vaelab."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveCount = Annotated[int, Field(ge=1)]
PositiveNumber = Annotated[float, Field(gt=0.0)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _checked_size(value: Any) -> Any:
    """A side, or a height and a width: said as one thing, where pydantic would complain of each."""
    sides = value if isinstance(value, list | tuple) else [value]
    if (
        len(sides) > 2
        or not sides
        or not all(isinstance(side, int) and side is not True and side >= 1 for side in sides)
    ):
        raise ValueError(
            f"expected a side in pixels, such as 32, or a height and a width, such as [30, 45]; found {value!r}"
        )
    return value if sides is value and len(sides) == 2 else sides[0]


# --- data ---------------------------------------------------------------------------------------------------------------------------


class DataConfig(Frozen):
    """Which images, and how the model sees their pixels."""

    name: str = Field(default="mnist", description="a known name, or the path of a file or folder")
    size: Annotated[PositiveCount | tuple[PositiveCount, PositiveCount], BeforeValidator(_checked_size)] | None = Field(
        default=None, description="bring a folder's images to size x size, or to [height, width]"
    )
    skip_bad: bool = Field(
        default=False, description="leave out the files of a folder that cannot be read, and name them"
    )
    pixels: Literal["grey", "dynamic", "threshold", "static"] = Field(
        default="grey",
        description="as the model sees them: `grey`; `dynamic` (binarised afresh each time); `threshold` (at one half); `static`",
    )
    static_file: str | None = Field(
        default=None,
        description="the images of `data.name` binarised once, for `static`; they take their labels from there where the order is the same",
    )
    validation: Literal["held-out", "test", "none"] = Field(
        default="held-out",
        description="scored after each epoch: a part held out of training; `test` (train on all, nothing selected); `none`",
    )
    validation_size: PositiveCount | None = Field(
        default=None, description="how many images are held out; left out, 10,000 of MNIST and a tenth of anything else"
    )
    validation_seed: int = Field(default=0, description="which")
    test_seed: int = Field(default=0, description="of the one draw that `dynamic` makes of held-out images")

    @property
    def source(self) -> dict[str, Any]:
        """The arguments of `load_data`."""
        return {
            "name_or_path": self.name,
            "size": self.size,
            "validation_size": self.validation_size,
            "validation_seed": self.validation_seed,
            "skip_bad": self.skip_bad,
            "binarised": self.static_file if self.pixels == "static" else None,
        }


# --- model --------------------------------------------------------------------------------------------------------------------------


class MlpConfig(Frozen):
    kind: Literal["mlp"] = Field(default="mlp", description="multilayer perceptron")
    hidden: tuple[PositiveCount, ...] = Field(default=(256,), description="widths, from the input on")
    activation: Literal["relu", "tanh", "gated"] = Field(default="relu", description="`relu`, `tanh`, `gated`")


class GaussianPosteriorConfig(Frozen):
    kind: Literal["gaussian"] = Field(default="gaussian", description="diagonal")


class DeterministicPosteriorConfig(Frozen):
    kind: Literal["deterministic"] = Field(default="deterministic", description="a plain autoencoder")


class BernoulliConfig(Frozen):
    kind: Literal["bernoulli"] = "bernoulli"


class ContinuousBernoulliConfig(Frozen):
    kind: Literal["continuous-bernoulli"] = Field(
        default="continuous-bernoulli", description="the proper one for grey pixels"
    )


class GaussianLikelihoodConfig(Frozen):
    kind: Literal["gaussian"] = "gaussian"
    scale: PositiveNumber | Literal["auto"] = Field(
        default="auto", description="fixed, or where learning begins, in units of the pixels; `auto`: by the data"
    )
    learned: bool = Field(default=False, description="one scale for all pixels, learned")
    floor: PositiveNumber = Field(default=1e-3, description="a learned scale stays above it")

    @model_validator(mode="after")
    def _starts_above_the_floor(self) -> "GaussianLikelihoodConfig":
        if self.learned and self.scale != "auto" and self.scale <= self.floor:
            raise ValueError(f"a learned scale begins above its floor; found scale {self.scale} and floor {self.floor}")
        return self


class NormalPriorConfig(Frozen):
    kind: Literal["normal"] = "normal"


class MixturePriorConfig(Frozen):
    kind: Literal["mixture"] = Field(default="mixture", description="of Gaussians, learned")
    components: PositiveCount = Field(default=10, description="how many")
    covariance: Literal["diagonal", "full"] = Field(default="diagonal", description="`diagonal`, `full`")


class VampPriorConfig(Frozen):
    kind: Literal["vamp"] = Field(default="vamp", description="the mixture of the posteriors of learned pseudo-inputs")
    components: PositiveCount = Field(default=100, description="how many")
    start: Literal["random", "data"] = Field(
        default="random", description="where pseudo-inputs begin: `random` noise, or images of the training `data`"
    )


class FlowPriorConfig(Frozen):
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


class ClassPriorConfig(Frozen):
    kind: Literal["class"] = Field(default="class", description="one Gaussian a label")
    classes: PositiveCount | None = Field(default=None, description="how many labels; written by training")


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

    latent_dim: PositiveCount = Field(default=2, description="dimensions of z")
    image_shape: tuple[PositiveCount, ...] | None = Field(default=None, description="written by training")
    encoder: MlpConfig = Field(default=MlpConfig(), description="the networks")
    decoder: MlpConfig = Field(default=MlpConfig(), description="the networks")
    posterior: PosteriorConfig = GaussianPosteriorConfig()
    likelihood: LikelihoodConfig = BernoulliConfig()
    prior: PriorConfig = NormalPriorConfig()
    output_bias: Literal["auto", "zeros", "data-mean"] = Field(
        default="auto", description="where the decoder's last layer begins: `zeros`, `data-mean`; `auto`: by the data"
    )


# --- objective and training ---------------------------------------------------------------------------------------------------------


class ObjectiveConfig(Frozen):
    """What training minimises. Beta rises linearly from 0 over the warm-up, once or, with `cycles`, again and again."""

    kind: Literal["elbo", "importance-weighted"] = Field(default="elbo", description="`elbo`, `importance-weighted`")
    beta: Annotated[float, Field(ge=0.0)] = Field(default=1.0, description="the weight of the KL term")
    warmup: float | str = Field(
        default=0.0,
        description='how long beta rises from 0: a share of all steps (of each cycle), from 0 to 1, or `"5 epochs"`, or `"2000 steps"`',
    )
    cycles: PositiveCount = Field(
        default=1, description="so many times in a training beta begins again at 0, rises over the warm-up, and stays"
    )
    samples: PositiveCount = Field(default=1, description="draws of z for each image")

    @model_validator(mode="after")
    def _warmup_fits(self) -> "ObjectiveConfig":
        number, unit = self.warmup_length
        if unit == "share" and number > 1.0:
            raise ValueError(
                f"warm-up is a share of training, from 0 to 1; found {number:g}, which is longer than training. "
                f"For epochs, write '{number:g} epochs'"
            )
        if self.cycles > 1 and number == 0.0:
            raise ValueError(
                f"objective.cycles = {self.cycles} needs objective.warmup, how long beta rises in each, such as 0.5; found 0"
            )
        return self

    @property
    def warmup_length(self) -> tuple[float, Literal["share", "epochs", "steps"]]:
        """The length of one rise of beta, and what it is counted in; a share is of one cycle."""
        if not isinstance(self.warmup, str):
            if self.warmup < 0.0:
                raise ValueError(f"warm-up must be 0 or more; found {self.warmup:g}")
            return self.warmup, "share"
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *(epoch|step)s?", self.warmup.strip())
        if found is None:
            raise ValueError(
                f"warm-up is a share of training such as 0.2, or '5 epochs', or '2000 steps'; found '{self.warmup}'"
            )
        return float(found[1]), "epochs" if found[2] == "epoch" else "steps"


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


class Config(Frozen):
    recipe: str | None = Field(default=None, description="the recipe it began as")
    seed: int = Field(default=0, description="of everything random")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="before")
    @classmethod
    def _completed_as_it_was(cls, values: Any) -> Any:
        """What names the images' shape was resolved by its data: a key that it lacks came later, and means what was done then."""
        if (
            isinstance(values, Mapping)
            and isinstance(values.get("model"), Mapping)
            and values["model"].get("image_shape")
        ):
            training = values.get("training", {})
            if isinstance(training, Mapping) and "first_layer_rate" not in training:
                return {**values, "training": {**training, "first_layer_rate": 1.0}}
        return values

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
            raise VaelabError(f"{source}: {first_complaint(error, set(known_keys()))}") from None

    def to_toml(self) -> str:
        """The whole configuration, defaults included; what is None is left out."""
        return tomli_w.dumps({"format": FORMAT, **self.model_dump(exclude_none=True, mode="json")})

    def with_values(self, changes: Mapping[str, Any], *, source: str = "--set") -> "Config":
        """The configuration with some dotted keys changed: `{"training.learning_rate": 3e-4}`.

        A text value is read as TOML where it is TOML (`3e-4`, `true`, `[300, 300]`), otherwise as a string. Changing a `kind`
        resets the part it belongs to, and changing another name what is said of that name alone (`NAMES`).

        Raises:
            VaelabError: for an unknown key (with the nearest known one) or a value of the wrong type or range.
        """
        values = self.model_dump(mode="json")
        known = set(known_keys())
        names_first = sorted(
            changes.items(), key=lambda change: not (change[0].endswith(".kind") or change[0] in NAMES)
        )
        for key, value in names_first:
            parent_key, _, name = key.rpartition(".")
            free = parent_key in known and parent_key.endswith("_options")
            if key not in known and not free:
                raise VaelabError(f"{source}: unknown key '{key}'; {nearest_key(key, known)}")
            parent = room_at(values, parent_key)
            value = read_value(value) if isinstance(value, str) else value
            if name == "kind" and parent.get("kind") != value:
                parent.clear()
            if parent.get(name) != value:
                for followed in NAMES.get(key, ()):
                    room, _, follower = followed.rpartition(".")
                    if follower != "first_layer_rate" or values["model"].get(
                        "image_shape"
                    ):  # else it was chosen, not read off
                        room_at(values, room).pop(follower, None)
            parent[name] = value
        return Config.from_values(values, source=source)


NAMES: dict[str, tuple[str, ...]] = {
    "data.name": ("data.static_file", "training.first_layer_rate", "model.image_shape", "model.prior.classes"),
    "data.size": ("training.first_layer_rate", "model.image_shape"),
    "data.pixels": ("data.static_file",),
    "training.optimiser": ("training.optimiser_options",),
}
"""What goes with a name, and is left out when another takes its place: an optimiser's options, what was read off the old data."""


def known_keys() -> Iterator[str]:
    """Every dotted key of the configuration, over all kinds of all parts."""
    yield from (key for key, _ in keys_of(Config))


def described_keys() -> Iterator[tuple[str, FieldInfo]]:
    """Every key that takes a value, with what is known of it; a key of several kinds once for each."""
    yield from ((key, field) for key, field in keys_of(Config) if not any(parts_in(field.annotation)))


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
