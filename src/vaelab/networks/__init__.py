"""Features in, features out: one architecture a file."""

from vaelab.networks.linear import Linear
from vaelab.networks.mlp import Mlp

__all__ = ["Linear", "Mlp"]
