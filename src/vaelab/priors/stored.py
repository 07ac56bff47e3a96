"""A fitted prior's file: its arrays by name, and what rebuilds their shapes in the header."""

from pathlib import Path
from typing import Annotated, Any, Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from pydantic import Field, TypeAdapter, ValidationError

from vaelab.config import Frozen, PositiveCount
from vaelab.errors import VaelabError
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.priors.base import AbstractPrior
from vaelab.priors.by_class import ByClassPrior
from vaelab.priors.flow import FlowArchitecture, FlowPrior
from vaelab.priors.kernel import KernelPrior
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.normal import NormalPrior
from vaelab.priors.per_class import ClassPrior
from vaelab.priors.second_stage import SecondStageArchitecture, SecondStagePrior
from vaelab.priors.vamp import VampPrior
from vaelab.tensors import read_tensors, write_tensors

PRIOR_FORMAT = "vaelab-prior-1"


class _Stored(Frozen):
    latent_dim: PositiveCount


class StoredNormal(_Stored):
    kind: Literal["normal"] = "normal"


class StoredMixture(_Stored):
    kind: Literal["mixture"] = "mixture"
    components: PositiveCount
    covariance: Literal["diagonal", "full"]


class StoredVamp(_Stored):
    kind: Literal["vamp"] = "vamp"
    components: PositiveCount
    image_shape: tuple[PositiveCount, ...]
    start: Literal["random", "data"]


class StoredFlow(_Stored):
    kind: Literal["flow"] = "flow"
    flow: Literal["coupling", "masked-autoregressive"]
    layers: PositiveCount
    width: PositiveCount
    knots: Annotated[int, Field(ge=2)]


class StoredClass(_Stored):
    kind: Literal["class"] = "class"
    classes: PositiveCount


class StoredKernel(_Stored):
    kind: Literal["kde"] = "kde"
    draws: PositiveCount


class StoredSecondStage(_Stored):
    kind: Literal["second-stage"] = "second-stage"
    width: PositiveCount


StoredOne = Annotated[
    StoredNormal | StoredMixture | StoredVamp | StoredFlow | StoredClass | StoredKernel | StoredSecondStage,
    Field(discriminator="kind"),
]


class StoredByClass(_Stored):
    kind: Literal["by-class"] = "by-class"
    priors: tuple[StoredOne, ...] = Field(min_length=1)


Stored = StoredOne | StoredByClass
_STORED: TypeAdapter[Stored] = TypeAdapter(Annotated[Stored, Field(discriminator="kind")])


def save_prior(path: Path, prior: AbstractPrior, facts: dict[str, Any] | None = None) -> None:
    """Write a prior to a file of its own; `facts` (how it was fitted) go into the header."""
    header = {"format": PRIOR_FORMAT, "prior": _described(prior).model_dump(mode="json"), "facts": facts or {}}
    write_tensors(path, named_arrays(prior), header)


def load_prior(path: Path) -> AbstractPrior:
    """The prior in a file.

    Raises:
        VaelabError: where the file is missing, damaged, altered, of a newer version, or no prior's.
    """
    return read_prior(path)[0]


def read_prior(path: Path) -> tuple[AbstractPrior, dict[str, Any]]:
    """The prior in a file, and the facts beside it; raises as `load_prior`."""
    arrays, header = read_tensors(path)
    found = header.get("format")
    if found != PRIOR_FORMAT:
        raise VaelabError(
            f"{path}: is of format {found!r}; expected a prior's file, {PRIOR_FORMAT!r}. Fit one with: vaelab fit-prior"
        )
    try:
        described = _STORED.validate_python(header.get("prior"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise VaelabError(
            f"{path}: describes no prior that this vaelab knows ({place}: {first['msg']}). Fit it again"
        ) from None
    shapes = eqx.filter_eval_shape(_blank, described)
    return with_named_arrays(shapes, arrays, source=str(path)), dict(header.get("facts") or {})


def _described(prior: AbstractPrior) -> Stored:
    """What rebuilds a prior's shapes."""
    size = prior.latent_dim
    match prior:
        case NormalPrior():
            return StoredNormal(latent_dim=size)
        case MixturePrior():
            return StoredMixture(latent_dim=size, components=prior.components, covariance=prior.covariance)
        case VampPrior():
            shape = prior.pseudo_inputs.shape[1:]
            return StoredVamp(latent_dim=size, components=prior.components, image_shape=shape, start=prior.start)
        case FlowPrior():
            made = prior.architecture
            return StoredFlow(latent_dim=size, flow=made.flow, layers=made.layers, width=made.width, knots=made.knots)
        case ClassPrior():
            return StoredClass(latent_dim=size, classes=prior.classes)
        case KernelPrior():
            return StoredKernel(latent_dim=size, draws=prior.points.shape[0])
        case SecondStagePrior():
            return StoredSecondStage(latent_dim=size, width=prior.architecture.width)
        case ByClassPrior():
            parts = tuple(_described(part) for part in prior.priors)
            return StoredByClass(
                latent_dim=size, priors=tuple(part for part in parts if not isinstance(part, StoredByClass))
            )
    raise TypeError(f"{type(prior).__name__} has no description to be stored by")


def _blank(stored: Stored) -> AbstractPrior:
    """A prior of the described shapes, its values to be filled in."""
    size, key = stored.latent_dim, jr.key(0)
    match stored:
        case StoredNormal():
            return NormalPrior(size)
        case StoredMixture():
            return MixturePrior(size, stored.components, stored.covariance, key=key)
        case StoredVamp():
            return VampPrior(size, stored.components, stored.image_shape, stored.start, key=key)
        case StoredFlow():
            return FlowPrior(FlowArchitecture(size, stored.flow, stored.layers, stored.width, stored.knots), key=key)
        case StoredClass():
            return ClassPrior(size, stored.classes, key=key)
        case StoredKernel():
            return KernelPrior(jnp.zeros((stored.draws, size)), jnp.ones(size))
        case StoredSecondStage():
            return SecondStagePrior(SecondStageArchitecture(size, stored.width), key=key)
        case StoredByClass():
            return ByClassPrior(tuple(map(_blank, stored.priors)), jnp.zeros(len(stored.priors)))
