"""What a run was made with, for whoever reads it later."""

import json
import os
import platform
from importlib.metadata import version

from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely
from vaelab.version import __version__

PACKAGES = ("jax", "jaxlib", "equinox", "optax", "flowjax", "numpy")


def write_environment(run: Run) -> None:
    """Write the versions, the machine and its devices beside the run."""
    import jax

    facts = {
        "packages": {"vaelab": __version__} | {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "devices": [f"{device.platform}:{device.device_kind}" for device in jax.devices()],
    }
    write_bytes_safely(run.environment_file, (json.dumps(facts, indent=2) + "\n").encode())
