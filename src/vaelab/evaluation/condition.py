"""What log p(x) is given: nothing, each image's label, or the sum over labels."""

from typing import get_args

from vaelab.errors import VaelabError
from vaelab.evaluation.numbers import Condition
from vaelab.labels import check_conditional
from vaelab.language import translated
from vaelab.model import Model
from vaelab.nearest import nearest_name


def checked_condition(model: Model, condition: str | None) -> Condition:
    """What log p(x) is given: what was asked for, where the model can give it; else as it is usual for the model.

    **Raises:** `VaelabError` for another word, labels of a model that sees none, and `none` of one that sees some.
    """
    if condition is None:
        return "none" if not model.is_conditional else "marginal"
    if condition not in get_args(Condition):
        raise VaelabError(
            translated(
                "--condition {condition}: expected none, given or marginal; {nearest}",
                condition=condition,
                nearest=nearest_name(condition, get_args(Condition)),
            )
        )
    if condition == "none" and model.is_conditional:
        raise VaelabError(
            translated(
                "--condition none: this model sees labels; its scores are given each image's (given), or summed over all (marginal)"
            )
        )
    if condition != "none":
        check_conditional(model)
    return condition  # pyright: ignore[reportReturnType]
