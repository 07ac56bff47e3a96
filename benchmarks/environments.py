"""One virtual environment a peer, so that no peer's requirements bend another's."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks" / ".environments"

# Each inner tuple is one call of pip. torch comes first and by itself, at the version named, and is named again
# beside pythae: a plain requirement of pythae's would let pip exchange it for another build.
REQUIREMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "keras-tensorflow": (("tensorflow-cpu==2.21.0", "keras==3.15.1", "matplotlib==3.11.2"),),
    "keras-jax": (("keras==3.15.1", "jax==0.10.2", "matplotlib==3.11.2"),),
    "torch": (("torch==2.13.0",), ("torch==2.13.0", "numpy>=2", "matplotlib==3.11.2")),
    "pythae": (("torch==2.13.0",), ("torch==2.13.0", "pythae==0.1.2", "matplotlib==3.11.2")),
    "vaelab": ((str(ROOT),),),
}

# What each environment's measured versions are read from, and what is imported once before anything is timed.
PACKAGES = {
    "keras-tensorflow": ("tensorflow-cpu", "keras", "numpy", "matplotlib"),
    "keras-jax": ("keras", "jax", "jaxlib", "numpy", "matplotlib"),
    "torch": ("torch", "numpy", "matplotlib"),
    "pythae": ("pythae", "torch", "numpy", "matplotlib"),
    "vaelab": ("vaelab", "jax", "jaxlib", "equinox", "optax", "numpy", "matplotlib"),
}
IMPORTS = {
    "keras-tensorflow": "import keras, matplotlib.pyplot",
    "keras-jax": "import keras, matplotlib.pyplot",
    "torch": "import torch, matplotlib.pyplot",
    "pythae": "import pythae.models, pythae.pipelines, matplotlib.pyplot",
    "vaelab": "import vaelab, jax, matplotlib.pyplot",
}


def prepare(name: str) -> Path:
    """The environment of that name, made or brought up to date when its requirements (or our source) changed.

    Raises `RuntimeError` with the end of pip's own words when pip fails.
    """
    folder = FOLDER / name
    stamp = folder / "prepared.json"
    wanted = {"python": sys.version, "requirements": REQUIREMENTS[name]}
    if name == "vaelab":
        wanted["source"] = source_digest()
    wanted_text = json.dumps(wanted, indent=1)
    if stamp.exists() and stamp.read_text() == wanted_text:
        return folder

    if not python(name).exists() or not (stamp.exists() and json.loads(stamp.read_text())["python"] == sys.version):
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)])
    stamp.unlink(missing_ok=True)
    for requirements in REQUIREMENTS[name]:
        run([str(python(name)), "-m", "pip", "install", "--quiet", *requirements])
    if name == "vaelab":  # pip thinks an unchanged version number is an unchanged package
        again = ["--no-deps", "--force-reinstall", str(ROOT)]
        run([str(python(name)), "-m", "pip", "install", "--quiet", *again])
    # the imports also leave what their libraries keep in a user's cache folder, such as matplotlib's list of fonts
    run([str(python(name)), "-c", IMPORTS[name]], process_environment(name, folder / "cache"))
    stamp.write_text(wanted_text)
    return folder


def python(name: str) -> Path:
    return FOLDER / name / "bin" / "python"


def process_environment(name: str, cache: Path) -> dict[str, str]:
    """This process's variables without those that steer a library, and with a cache folder of the peer's own."""
    steering = ("JAX_", "XLA_", "TF_", "KERAS_", "OMP_", "MKL_", "OPENBLAS_", "MPL", "PYTHON", "VAELAB_", "NPROC")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
    cache.mkdir(parents=True, exist_ok=True)
    variables |= {"XDG_CACHE_HOME": str(cache), "KERAS_HOME": str(cache / "keras"), "PYTHONNOUSERSITE": "1"}
    if name.startswith("keras-"):
        variables["KERAS_BACKEND"] = name.removeprefix("keras-")
    return variables


def versions(name: str) -> dict[str, str]:
    """The installed versions of what the peer rests on, and its Python's; of ours also which source it was."""
    code = (
        "import importlib.metadata as m, json, platform, sys; "
        "print(json.dumps({'python': platform.python_version()} | {p: m.version(p) for p in sys.argv[1:]}))"
    )
    shown = subprocess.run(
        [str(python(name)), "-c", code, *PACKAGES[name]], check=True, capture_output=True, text=True
    ).stdout
    return json.loads(shown) | ({"source": source_digest()[:12]} if name == "vaelab" else {})


def source_digest() -> str:
    """SHA-256 over our package's files, so that the environment holds the source that is measured."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for file in sorted((ROOT / "src").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def run(command: list[str], variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-3000:]}")
