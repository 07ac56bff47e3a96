"""The kinds of every part: the only place that looks one up, or says what one is called.

Five tables. A row is a kind's name and where its settings lie, "module:Settings"; the settings say where the class lies that they build.
Both are imported when asked for. An installed package adds rows by entry points of the groups `vaelab.networks`, `vaelab.posteriors`,
`vaelab.likelihoods`, `vaelab.priors` and `vaelab.objectives`: the entry point's name is the kind, its value "module:Settings".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from vaelab.door import say
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name
from vaelab.settings import (
    LikelihoodSettings,
    NetworkSettings,
    ObjectiveSettings,
    PartSettings,
    PosteriorSettings,
    PriorSettings,
)

FOREIGN = "foreign"
"""The kind of a part that Python gave: a run's configuration has its name, and no file says where to import it from."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """One table: what its parts are called ("network"), the group of its entry points, and our rows."""

    what: str
    rows: Mapping[str, str]
    base: type[PartSettings]
    _classes: dict[str, type[PartSettings]] = field(default_factory=dict, compare=False)

    @cached_property
    def _foreign_rows(self) -> Mapping[str, EntryPoint]:
        found = {point.name: point for point in installed().select(group=f"vaelab.{self.what}s")}
        for name in sorted(found.keys() & self.rows.keys()):
            say(
                translated(
                    "the {what} '{name}' of the package {package} has the name of one of vaelab's own, and is passed over; it needs "
                    "another name",
                    what=self.what,
                    name=name,
                    package=_package(found.pop(name)),
                )
            )
        return found

    @property
    def names(self) -> list[str]:
        """Every kind: ours in their order, then those of installed packages."""
        return [*self.rows, *sorted(self._foreign_rows)]

    @property
    def trained_names(self) -> list[str]:
        """Those that a configuration may name: all but priors that are only ever fitted afterwards, a network that `model.condition` puts
        around others, and what cannot be imported.
        """
        return [settings.model_fields["kind"].default for settings in self.importable()]

    def settings_of(self, kind: str) -> type[PartSettings]:
        """The class of a kind's settings.

        Raises:
            VaelabError: for a kind that is none, with the nearest; for an installed package's that cannot be imported.
        """
        if kind == FOREIGN:
            return found_at(f"vaelab.foreign:Given{self.what.capitalize()}Settings")
        if kind not in self._classes:
            self._classes[kind] = self._imported(kind)
        return self._classes[kind]

    def _imported(self, kind: str) -> type[PartSettings]:
        if kind in self.rows:
            return found_at(self.rows[kind])
        if kind not in self._foreign_rows:
            raise VaelabError(
                translated(
                    "unknown {what} '{kind}'; {nearest_name}",
                    what=self.what,
                    kind=kind,
                    nearest_name=nearest_name(kind, self.trained_names),
                )
            )
        point = self._foreign_rows[kind]
        package = _package(point)
        try:
            found = point.load()
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise VaelabError(
                translated(
                    "{what} '{kind}' of the package {package}: {value} could not be imported ({first}); mend or remove that package",
                    what=self.what,
                    kind=kind,
                    package=package,
                    value=point.value,
                    first=first,
                )
            ) from None
        if not (isinstance(found, type) and issubclass(found, self.base) and hasattr(found, "part")):
            raise VaelabError(
                translated(
                    "{what} '{kind}' of the package {package}: {value} must be a subclass of vaelab.settings.{found_type} that names "
                    "its `part`",
                    what=self.what,
                    kind=kind,
                    package=package,
                    value=point.value,
                    found_type=self.base.__name__,
                )
            )
        return found

    def package_of(self, kind: str) -> str | None:
        """The package and version that a kind comes from, "outsiders 1.0"; None for ours and for what Python gave."""
        point = self._foreign_rows.get(kind)
        return None if point is None or point.dist is None else f"{point.dist.name} {point.dist.version}"

    def importable(self) -> Iterator[type[PartSettings]]:
        """The settings of each of those; an installed package that is broken is passed over."""
        for kind in self.names:
            try:
                settings = self.settings_of(kind)
            except VaelabError:
                continue
            if getattr(settings, "is_trained", True) and getattr(settings, "is_named", True):
                yield settings

    def settings(self, values: Any) -> PartSettings:
        """The settings that a part's values in a configuration stand for: a mapping with `kind`, or the name of a kind alone.

        Raises:
            VaelabError: for a kind that is none.
            pydantic.ValidationError: for a setting that is none, or out of range.
        """
        if isinstance(values, PartSettings):
            return values
        if isinstance(values, str):
            values = {"kind": values}
        if not isinstance(values, Mapping):
            raise VaelabError(
                translated(
                    "expected a {what}'s settings, such as {{'kind': '{names}'}}; found {values!r}",
                    what=self.what,
                    names=self.names[0],
                    values=values,
                )
            )
        return self.settings_of(str(values.get("kind", self.names[0]))).model_validate(values)

    def build(self, settings: PartSettings, *args: Any, **kwargs: Any) -> Any:
        """The part that settings stand for. What it is built from is its table's business: see the settings' own class."""
        return self.part_of(type(settings)).build(settings, *args, **kwargs)

    def part_of(self, settings: type[PartSettings]) -> Any:
        """The class that settings of a class build."""
        return found_at(settings.part)

    def name_of(self, part: object) -> str:
        """What the kind of a part is called; the class's name for one that no row names."""
        place = f"{type(part).__module__}:{type(part).__qualname__}"
        for kind in self.names:
            if (kind in self.rows or kind in self._classes) and self.settings_of(kind).part == place:
                return kind
        return getattr(part, "name", None) or type(part).__name__


@cache
def installed() -> Any:  # EntryPoints, or what Python 3.11 has in its place
    """The entry points of every installed package, read once: each reading looks through all of them."""
    return entry_points()


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def found_at(place: str) -> Any:
    """What lies at "module:name"."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


NETWORKS = Kinds(
    "network",
    {
        "mlp": "vaelab.networks.settings:MlpSettings",
        "convolutional": "vaelab.networks.settings:ConvolutionalSettings",
        "residual": "vaelab.networks.settings:ResidualSettings",
        "conditioned": "vaelab.networks.settings:ConditionedSettings",
    },
    NetworkSettings,
)
POSTERIORS = Kinds(
    "posterior",
    {
        "gaussian": "vaelab.families.settings:GaussianPosteriorSettings",
        "full-gaussian": "vaelab.families.settings:FullGaussianPosteriorSettings",
        "inverse-autoregressive": "vaelab.families.settings:InverseAutoregressiveSettings",
        "planar": "vaelab.families.settings:PlanarSettings",
        "sylvester": "vaelab.families.settings:SylvesterSettings",
        "von-mises-fisher": "vaelab.families.settings:VonMisesFisherSettings",
        "fsq": "vaelab.families.settings:FiniteScalarsSettings",
        "vq": "vaelab.families.settings:VectorCodesSettings",
        "deterministic": "vaelab.families.settings:DeterministicPosteriorSettings",
    },
    PosteriorSettings,
)
LIKELIHOODS = Kinds(
    "likelihood",
    {
        "bernoulli": "vaelab.families.settings:BernoulliSettings",
        "continuous-bernoulli": "vaelab.families.settings:ContinuousBernoulliSettings",
        "gaussian": "vaelab.families.settings:GaussianLikelihoodSettings",
        "laplace": "vaelab.families.settings:LaplaceSettings",
        "discretised-logistic": "vaelab.families.settings:DiscretisedLogisticSettings",
        "logistic-mixture": "vaelab.families.settings:LogisticMixtureSettings",
        "categorical": "vaelab.families.settings:CategoricalLevelsSettings",
    },
    LikelihoodSettings,
)
PRIORS = Kinds(
    "prior",
    {
        "normal": "vaelab.priors.settings:NormalPriorSettings",
        "mixture": "vaelab.priors.settings:MixturePriorSettings",
        "vamp": "vaelab.priors.settings:VampPriorSettings",
        "flow": "vaelab.priors.settings:FlowPriorSettings",
        "class": "vaelab.priors.settings:ClassPriorSettings",
        "uniform-sphere": "vaelab.priors.settings:UniformSpherePriorSettings",
        "uniform-codes": "vaelab.priors.settings:UniformCodesPriorSettings",
        "autoregressive": "vaelab.priors.settings:AutoregressiveCodesPriorSettings",
        "kde": "vaelab.priors.settings:KernelPriorSettings",
        "second-stage": "vaelab.priors.settings:SecondStagePriorSettings",
        "by-class": "vaelab.priors.settings:ByClassPriorSettings",
    },
    PriorSettings,
)
OBJECTIVES = Kinds(
    "objective",
    {
        "elbo": "vaelab.objectives.settings:ElboSettings",
        "importance-weighted": "vaelab.objectives.settings:ImportanceWeightedSettings",
        "free-bits": "vaelab.objectives.settings:FreeBitsSettings",
        "capacity": "vaelab.objectives.settings:CapacitySettings",
        "total-correlation": "vaelab.objectives.settings:TotalCorrelationSettings",
        "factor": "vaelab.objectives.settings:FactorSettings",
        "dip": "vaelab.objectives.settings:DipSettings",
        "mmd": "vaelab.objectives.settings:MmdSettings",
        "adversarial": "vaelab.objectives.settings:AdversarialSettings",
        "regularised": "vaelab.objectives.settings:RegularisedSettings",
        "vae-gan": "vaelab.objectives.settings:VaeGanSettings",
        "ms-ssim": "vaelab.objectives.settings:MsSsimSettings",
    },
    ObjectiveSettings,
)
