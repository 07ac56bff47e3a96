"""The whole configuration: read from TOML, changed by dotted keys (`training.learning_rate`), and written back whole.

A run is a function of its `config.toml`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import tomli_w
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator
from pydantic.fields import FieldInfo

from vaelab.config.data import DataConfig
from vaelab.config.keys import PartOf, first_complaint, keys_of, nearest_key, parts_in, read_value, room_at
from vaelab.config.model import ModelConfig, usual
from vaelab.config.training import TrainingConfig
from vaelab.errors import VaelabError
from vaelab.kinds import FOREIGN, LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS
from vaelab.language import in_a_sentence, translated
from vaelab.settings import Frozen, ObjectiveSettings, PosteriorSettings

FORMAT = 1
"""The version of `config.toml`: a run folder with a larger one was written by a newer vaelab."""

AnyObjective = Annotated[SerializeAsAny[ObjectiveSettings], BeforeValidator(OBJECTIVES.settings), PartOf(OBJECTIVES)]


class Config(Frozen):
    recipe: str | None = Field(default=None, description="the recipe it began as")
    packages: tuple[str, ...] = Field(
        default=(), description="written by training: other packages than vaelab that kinds of it come from"
    )
    seed: int = Field(default=0, description="of all that is drawn at random")
    data: DataConfig = DataConfig()
    model: ModelConfig = Field(default_factory=ModelConfig)
    objective: AnyObjective = Field(default_factory=usual(OBJECTIVES))
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
                translated(
                    "training.keep = 'best' and training.patience choose by val_loss, so they need data.validation = 'held-out'; "
                    "found '{validation}', and nothing may be chosen by the test images",
                    validation=self.data.validation,
                )
            )
        posterior = self.model.posterior
        if not posterior.has_density and self.objective.needs_density:
            raise ValueError(
                translated(
                    "a {kind} posterior has no importance weights; use objective.kind = '{names}'",
                    kind=posterior.kind,
                    names=OBJECTIVES.names[0],
                )
            )
        if not posterior.has_density and not self.model.prior.is_fixed:
            raise ValueError(
                translated(
                    "a {kind} posterior has no KL, so training would never move a prior; leave model.prior out, and fit one "
                    "afterwards with: vaelab fit-prior",
                    kind=posterior.kind,
                )
            )
        reason = posterior.why_not(self.model.latent_dim)
        if reason is not None:
            raise ValueError(
                translated("model.latent_dim of a {kind} posterior: {reason}", kind=posterior.kind, reason=reason)
            )
        if posterior.support.domain not in self.model.prior.domains:
            raise ValueError(
                translated(
                    "z of a {kind} posterior lives in: {domain}; a {prior} prior has no density there. Choose model.prior.kind = '{names}'",
                    kind=posterior.kind,
                    domain=posterior.support.domain,
                    prior=self.model.prior.kind,
                    names=self._priors_of(posterior),
                )
            )
        if posterior.support.domain == "codes" and self.model.is_conditional:
            raise ValueError(
                translated(
                    "a {kind} posterior has no prior over codes for each label; leave model.condition out, or choose a gaussian posterior",
                    kind=posterior.kind,
                )
            )
        if self.model.prior.scores_posteriors and not posterior.quick_elsewhere:
            raise ValueError(
                translated(
                    "a {prior} prior asks log q(z|u) of every pseudo-input at every draw, and a {kind} posterior needs a pass for each "
                    "dimension for one; the nearest that works is model.posterior.kind = 'full-gaussian', or another prior",
                    prior=self.model.prior.kind,
                    kind=posterior.kind,
                )
            )
        if self.data.pixels == "static" and self.data.static_file is None:
            raise ValueError(
                translated("data.pixels = 'static' needs data.static_file, the file of the binarised images")
            )
        if self.data.pixels != "static" and self.data.static_file is not None:
            raise ValueError(
                translated(
                    "data.static_file is read where data.pixels is 'static'; found '{pixels}'", pixels=self.data.pixels
                )
            )
        return self

    @staticmethod
    def _priors_of(posterior: PosteriorSettings) -> str:
        """The kinds that go with a posterior, the plainest first."""
        kinds = [PRIORS.settings_of(kind) for kind in PRIORS.trained_names]
        found = [kind for kind in kinds if posterior.support.domain in getattr(kind, "domains", ())]
        found.sort(key=lambda kind: len(getattr(kind, "domains", ())))
        return "' or '".join(str(kind.model_fields["kind"].default) for kind in found)

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
            raise VaelabError(translated("{source}: not a TOML file ({error})", source=source, error=error)) from None
        found = values.pop("format", FORMAT)
        if not isinstance(found, int) or found > FORMAT:
            raise VaelabError(
                translated(
                    "{source}: written by a newer vaelab (format {found}; this one reads up to {FORMAT}). Upgrade: pip install -U "
                    "vaelab",
                    source=source,
                    found=found,
                    FORMAT=FORMAT,
                )
            )
        return cls.from_values(values, source=source)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, source: str) -> "Config":
        """The configuration in nested values.

        Raises:
            VaelabError: naming `source`, where a key or value is not known.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            for package in values.get("packages") or ():
                if (name := str(package).partition(" ")[0]) and not _is_installed(name):
                    raise VaelabError(
                        translated(
                            "{source}: has parts of the package {package}, which is not installed here; install it: pip install {name}",
                            source=source,
                            package=package,
                            name=name,
                        )
                    ) from None
            raise VaelabError(
                translated(
                    "{source}: {first_complaint}",
                    source=source,
                    first_complaint=first_complaint(error, set(known_keys())),
                )
            ) from None

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
            # an optimiser's options, and the name of a part that Python gave
            free = parent_key in known and (parent_key.endswith("_options") or name == "name")
            if key not in known and not free:
                raise VaelabError(
                    translated(
                        "{source}: unknown key '{key}'; {nearest_key}",
                        source=source,
                        key=in_a_sentence(key),
                        nearest_key=nearest_key(key, known),
                    )
                )
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
        changed = Config.from_values(values, source=source)
        foreign = dict(changed._foreign())
        return changed.with_parts({name: part for name, part in self.parts.items() if name in foreign})

    def with_packages(self) -> "Config":
        """The configuration that names the packages which its kinds come from."""
        kinds = {
            NETWORKS: (self.model.encoder, self.model.decoder),
            POSTERIORS: (self.model.posterior,),
            LIKELIHOODS: (self.model.likelihood,),
            PRIORS: (self.model.prior,),
            OBJECTIVES: (self.objective,),
        }
        found = {table.package_of(part.kind) for table, parts in kinds.items() for part in parts}
        return self.model_copy(update={"packages": tuple(sorted(filter(None, found)))})

    # --- parts that Python gave -----------------------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, Any]:
        """What was given in Python for a part, by the part's name (`encoder`, ..., `objective`): no file knows it."""
        return {name: settings.given for name, settings in self._foreign() if settings.given is not None}

    def with_parts(self, parts: Mapping[str, Any]) -> "Config":
        """The configuration whose foreign parts are built by these: factories `(shape, key) -> module`, or ready modules.

        Raises:
            VaelabError: for a part that is none, or is not foreign here.
        """
        foreign = dict(self._foreign())
        for name in parts:
            if name not in foreign:
                known = ", ".join(foreign) or "none"
                raise VaelabError(
                    translated(
                        "parts: '{name}' is no part of this run that was given in Python; those are: {known}",
                        name=name,
                        known=known,
                    )
                )
        for name, given in parts.items():
            foreign[name].give(given)
        return self

    def check_parts_given(self) -> None:
        """Refuse a configuration that lacks a part which Python gave.

        Raises:
            VaelabError: naming the first.
        """
        for _, settings in self._foreign():
            settings.check_given()

    def _foreign(self) -> Iterator[tuple[str, Any]]:
        parts = {name: getattr(self.model, name) for name in ("encoder", "decoder", "posterior", "likelihood", "prior")}
        for name, settings in {**parts, "objective": self.objective}.items():
            if settings.kind == FOREIGN:
                yield name, settings


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


NAMES: dict[str, tuple[str, ...]] = {
    "data.name": (
        "data.static_file",
        "training.first_layer_rate",
        "model.image_shape",
        "model.prior.classes",
        "model.classes",
    ),
    "model.condition": ("model.classes",),
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
    yield from ((key, field) for key, field in keys_of(Config) if not any(parts_in(field)))
