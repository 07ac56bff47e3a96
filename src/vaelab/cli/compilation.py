"""Compiled programs are kept between commands: the second run of a command starts in a fraction of the time."""

import os
from pathlib import Path


def use_compilation_cache() -> None:
    """Point JAX's persistent compilation cache at a folder that only this user can write to.

    A folder named by JAX_COMPILATION_CACHE_DIR is left as it is. Where no folder can be made, nothing is kept, and nothing fails.
    """
    import warnings

    import jax
    import pooch

    # an entry that a kill cut short is compiled again; nobody need know
    warnings.filterwarnings("ignore", message="Error reading persistent compilation cache entry")
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder = Path(os.environ.get("VAELAB_CACHE") or pooch.os_cache("vaelab")) / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix" and (folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o022):
            return  # compiled programs are trusted: not from a folder that another can write to
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
