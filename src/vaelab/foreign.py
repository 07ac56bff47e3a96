"""Parts that Python gave: a factory `(shape, key) -> module`, or a module that is ready.

A run's file knows such a part by its name alone, never by a path to import it from: whoever loads the run gives the part again,
`vaelab.load(run, parts={"encoder": factory})`.
"""

from typing import Any, ClassVar, Literal

from pydantic import PrivateAttr

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.settings import (
    LikelihoodSettings,
    NetworkSettings,
    ObjectiveSettings,
    PartSettings,
    PosteriorSettings,
    PriorSettings,
)


class GivenSettings(PartSettings):
    """What a configuration says of a part that was given: its name. The part itself stands beside it, in memory."""

    kind: Literal["foreign"] = "foreign"
    name: str
    _given: Any = PrivateAttr(default=None)

    @property
    def given(self) -> Any:
        """The factory or module; None in a configuration that was read from a file, until it is given again."""
        return self._given

    def give(self, part: Any) -> "GivenSettings":
        """Take a factory or a module for this part."""
        self._given = part
        return self

    def check_given(self) -> None:
        """Refuse to go on without the part.

        Raises:
            VaelabError: saying how to give it again.
        """
        if self._given is None:
            raise VaelabError(
                translated(
                    "the part '{name}' was given in Python, and no file holds it: load the run with vaelab.load(run, "
                    "parts={{...}}), which names each such part",
                    name=self.name,
                )
            )

    def made(self, shape: Any, key: Any) -> Any:
        """The module: what the factory makes of a shape and a key, or the module that was given ready.

        A ready module knows no `random_state`: every training goes on from its weights as they are.

        Raises:
            VaelabError: where the part was not given again, or the factory fails.
        """
        self.check_given()
        if not is_factory(self._given):
            return self._given
        try:
            return self._given(shape, key)
        except VaelabError:
            raise
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise VaelabError(
                translated(
                    "{name}: a factory takes (shape, key) and gives a module; called with shape {shape} it raised {found_type}: {first}",
                    name=self.name,
                    shape=shape,
                    found_type=type(error).__name__,
                    first=first,
                )
            ) from error


class GivenNetworkSettings(GivenSettings, NetworkSettings):
    part: ClassVar[str] = "vaelab.networks.given:GivenNetwork"


class GivenPosteriorSettings(GivenSettings, PosteriorSettings):
    part: ClassVar[str] = "vaelab.families.given:GivenFamily"


class GivenLikelihoodSettings(GivenSettings, LikelihoodSettings):
    part: ClassVar[str] = "vaelab.families.given:GivenFamily"


class GivenPriorSettings(GivenSettings, PriorSettings):
    part: ClassVar[str] = "vaelab.priors.given:GivenPrior"


class GivenObjectiveSettings(GivenSettings, ObjectiveSettings):
    part: ClassVar[str] = "vaelab.objectives.given:GivenObjective"


def is_factory(part: Any) -> bool:
    """Whether it makes modules, and is none: a function or a class. A module has fields that JAX sees as a tree."""
    from equinox import Module

    return callable(part) and not isinstance(part, Module)


def name_of_given(part: Any) -> str:
    """What a given part is called in a configuration."""
    named = part if hasattr(part, "__qualname__") else type(part)
    return f"{named.__module__}.{named.__qualname__}"
