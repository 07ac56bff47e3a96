"""An objective that Python gave."""

from typing import Any

import jax.random as jr

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.objectives.base import AbstractObjective


class GivenObjective:
    """Builds what a factory makes: a subclass of `AbstractObjective`. It is asked with no shape and a key that is always the same."""

    @staticmethod
    def build(settings: Any) -> AbstractObjective:
        """The objective.

        Raises:
            VaelabError: where the factory gives none.
        """
        objective = settings.made((), jr.key(0))
        if not isinstance(objective, AbstractObjective):
            raise VaelabError(
                translated(
                    "{name}: expected an objective, a subclass of vaelab.objectives.base.AbstractObjective; found {found_type}",
                    name=settings.name,
                    found_type=type(objective).__name__,
                )
            )
        return objective
