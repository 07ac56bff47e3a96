"""Settings to a network."""

from inspect import signature
from typing import Any

from jaxtyping import PRNGKeyArray

from vaelab.kinds import NETWORKS
from vaelab.settings import NetworkSettings
from vaelab.space import Space


def build_network(settings: NetworkSettings, given: Space, *, key: PRNGKeyArray, wanted: Space | None = None) -> Any:
    """The network over inputs of this space. `wanted` is the image that a decoder aims at, for kinds whose `build` names it."""
    takes = signature(NETWORKS.part_of(type(settings)).build).parameters
    return NETWORKS.build(settings, given, key=key, **({"wanted": wanted} if "wanted" in takes else {}))
