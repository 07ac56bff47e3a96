"""The estimator's arguments for parts of the model: a kind's name, settings, or the part itself, as a factory or a module.

A factory is a function `(shape, key) -> module`: `shape` that of one input for a network (an image, or z), that of the values for a
posterior (z) or a likelihood (the image), `(latent_dim,)` for a prior; `key` is a JAX random key that follows from `random_state`. A
network is any Equinox module that maps one example to its features; the others are subclasses of vaelab's abstract parts.
A module that is ready is taken too, at a price: it knows no `random_state`, and every fit begins from its weights.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from equinox import Module

from vaelab.errors import VaelabError
from vaelab.foreign import name_of_given
from vaelab.kinds import FOREIGN, NETWORKS
from vaelab.language import translated
from vaelab.settings import PartSettings

PARTS = {
    "encoder": "model.encoder",
    "decoder": "model.decoder",
    "posterior": "model.posterior",
    "likelihood": "model.likelihood",
    "prior": "model.prior",
    "objective": "objective",
}
"""The arguments, and the rooms of the configuration that they fill."""


NEEDED = ("likelihood", "prior")
"""The others are as usual where they are None."""


def part_values(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What arguments for parts say of the configuration, by dotted key; an argument that is None says nothing."""
    for name, value in arguments.items():
        room = PARTS[name]
        if value is None and name not in NEEDED:
            continue
        if isinstance(value, str):
            yield f"{room}.kind", value
        elif isinstance(value, PartSettings):
            yield from ((f"{room}.{key}", setting) for key, setting in value.model_dump().items())
        elif isinstance(value, Mapping):
            if "kind" not in value:
                raise VaelabError(
                    translated(
                        "{name}: expected settings with a 'kind', such as {{'kind': 'mlp'}}; found {value!r}",
                        name=name,
                        value=value,
                    )
                )
            yield from ((f"{room}.{key}", setting) for key, setting in value.items())
        elif is_given(value):
            yield f"{room}.kind", FOREIGN
            yield f"{room}.name", name_of_given(value)
        else:
            raise VaelabError(
                translated(
                    "VAE: {name} ({room}): expected the name of a kind, its settings, or a factory (shape, key) -> module; found "
                    "{value!r}",
                    name=name,
                    room=room,
                    value=value,
                )
            )


def kind_of_both(network: Any) -> str | None:
    """The kind of both networks; None for the usual one.

    Raises:
        VaelabError: for anything but a name; settings and parts belong to a side.
    """
    if not isinstance(network, str):
        raise VaelabError(
            translated(
                "network: expected the name of a kind for both sides, such as 'convolutional'; found {value!r}. Settings and factories are "
                "given as encoder and decoder",
                value=network,
            )
        )
    return None if network == NETWORKS.names[0] else network


def network_values(name: str, network: Any, hidden: list[int], activation: Any) -> dict[str, Any]:
    """What widths and activation say of a network, where it is one that has such: the estimator's own, which is asked for by no name or
    by its kind alone. An activation that is None says nothing.
    """
    if network is not None and not isinstance(network, str):
        return {}
    kind = NETWORKS.names[0] if network is None else network
    known = NETWORKS.settings_of(kind).model_fields
    values = {"hidden": hidden} | ({} if activation is None else {"activation": activation})
    return {f"model.{name}.{key}": value for key, value in values.items() if key in known}


def given_parts(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are factories or modules."""
    return {name: value for name, value in arguments.items() if is_given(value)}


def is_given(value: Any) -> bool:
    """Whether an argument is the part itself, and no name or settings of one."""
    return (callable(value) or isinstance(value, Module)) and not isinstance(value, Mapping | PartSettings)
