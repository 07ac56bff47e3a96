"""A family that Python gave."""

from typing import Any

from jaxtyping import PRNGKeyArray

from vaelab.errors import VaelabError
from vaelab.families.base import AbstractFamily
from vaelab.language import translated
from vaelab.space import Shape


class GivenFamily:
    """Builds what a factory makes: a subclass of `AbstractFamily`."""

    @staticmethod
    def build(settings: Any, shape: Shape, *, key: PRNGKeyArray) -> AbstractFamily:
        """The family over values of this shape.

        Raises:
            VaelabError: where the factory gives none, or one of another size.
        """
        family = settings.made(shape, key)
        if not isinstance(family, AbstractFamily):
            raise VaelabError(
                translated(
                    "{name}: expected a family, a subclass of vaelab.families.base.AbstractFamily; found {found_type}",
                    name=settings.name,
                    found_type=type(family).__name__,
                )
            )
        return family
