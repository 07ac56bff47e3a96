"""Latents in, a prior out: priors fitted after training, one kind a file.

`fit_prior` is imported when first used: which kinds there are is known without JAX.
"""

from typing import TYPE_CHECKING, Any

from vaelab.fitting.names import default_name, kinds

if TYPE_CHECKING:
    from vaelab.fitting.fit import fit_prior
    from vaelab.fitting.fitted import FittedPrior

__all__ = ["FittedPrior", "default_name", "fit_prior", "kinds"]

_HOMES = {"fit_prior": "vaelab.fitting.fit", "FittedPrior": "vaelab.fitting.fitted"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vaelab.fitting' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
