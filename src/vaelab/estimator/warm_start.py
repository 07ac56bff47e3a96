"""`VAE(warm_start=True)`: a fit that goes on from the weights that are there."""

from typing import Any

import numpy as np

from vaelab.config import Config, ModelConfig
from vaelab.errors import VaelabError
from vaelab.estimator.arguments import ARGUMENTS
from vaelab.estimator.fitted import FittedVAE
from vaelab.estimator.saved import flat
from vaelab.language import to_translate, translated

ANEW = to_translate("warm_start=False begins anew")


def goes_on(vae: FittedVAE) -> bool:
    """Whether its next fit does."""
    return bool(vae.warm_start) and "model_" in vae.__dict__


def with_its_model(vae: FittedVAE, asked: Config) -> Config:
    """What is asked for now, with the model as the first fit resolved it.

    Raises:
        VaelabError: where the arguments ask for another model than the weights are of.
    """
    before: ModelConfig = vae._asked
    now, then = (flat(model.model_dump(mode="json")) for model in (asked.model, before))
    for key in sorted({*now, *then}, key=lambda key: (f"model.{key}" not in ARGUMENTS, key)):
        if now.get(key) != then.get(key):
            name = ARGUMENTS.get(f"model.{key}", f"model.{key}")
            raise VaelabError(
                translated(
                    "warm_start: {name} is {now!r} now, and the weights that are there were fitted with {then!r}; "
                    "{anew}",
                    name=name,
                    now=now.get(key),
                    then=then.get(key),
                    anew=ANEW,
                )
            )
    return asked.model_copy(update={"model": vae.config_.model})


def check_same_labels(vae: FittedVAE, names: Any) -> None:
    """A class prior knows the labels of the first fit by their places: refuse others.

    Raises:
        VaelabError: naming both.
    """
    fitted = getattr(vae, "label_names_", None)
    if vae._needs_labels() and not np.array_equal(np.asarray(names), np.asarray(fitted)):
        now, then = (", ".join(map(str, np.asarray(one).tolist())) for one in (names, fitted))
        raise VaelabError(
            translated(
                "warm_start: the labels are {now} now, and the class prior was fitted on {then}; {anew}",
                now=now,
                then=then,
                anew=ANEW,
            )
        )
