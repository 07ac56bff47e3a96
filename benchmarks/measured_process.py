"""A whole process measured from outside: wall time, processor time, peak memory."""

import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple


class Measured(NamedTuple):
    """`seconds` from start to end by the wall clock; `cpu_seconds` on all cores, user and system; the most memory
    that was resident at once, in bytes."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: list[str], *, folder: Path, variables: dict[str, str], log: Path) -> Measured:
    """Runs the command in `folder`, its output in `log`, and waits for its end.

    Raises `RuntimeError` with the log's end when the command fails. An interrupt ends the command too.
    """
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            # wait4 gives this one child's resources; getrusage(RUSAGE_CHILDREN) would give the largest child so far.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"`{' '.join(command)}` ended with {process.returncode}; the end of {log}:\n{end}")
    kibibytes = usage.ru_maxrss if os.uname().sysname == "Linux" else usage.ru_maxrss / 1024  # macOS counts bytes
    return Measured(seconds, usage.ru_utime + usage.ru_stime, int(kibibytes * 1024))
