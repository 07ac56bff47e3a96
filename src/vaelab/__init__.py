"""vaelab: a workbench for variational autoencoders.

The names below are imported when first used, so that `import vaelab` costs nothing:

- `VAE`, a scikit-learn estimator; `load`, the estimator of a trained run;
- `load_data`, a data set by name or from files.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaelab.data import load_data
    from vaelab.estimator import VAE, load

from vaelab.version import __version__

__all__ = ["VAE", "__version__", "load", "load_data"]

_HOMES = {"VAE": "vaelab.estimator", "load": "vaelab.estimator", "load_data": "vaelab.data"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vaelab' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
