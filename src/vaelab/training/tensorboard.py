"""TensorBoard events of a training as it goes (the extra `tensorboard`, without TensorFlow)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vaelab.door import flag
from vaelab.errors import VaelabError
from vaelab.language import translated


def check_tensorboard() -> None:
    """Refuse where its package is not there.

    Raises:
        VaelabError: with the command that installs it.
    """
    if find_spec("tensorboardX") is None:
        raise VaelabError(
            translated("{flag} needs an extra package: pip install 'vaelab[tensorboard]'", flag=flag("tensorboard"))
        )


@contextmanager
def tensorboard_events(folder: str | Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What to call with the report of each epoch: one scalar a term and part, such as `loss/train` and `loss/val`.

    Raises:
        VaelabError: where its package is not there, or the folder cannot be written to.
    """
    check_tensorboard()
    from tensorboardX import SummaryWriter

    try:
        writer = SummaryWriter(str(folder))
    except OSError as error:
        raise VaelabError(
            translated(
                "{flag}: {folder} cannot be written to ({strerror})",
                flag=flag("tensorboard"),
                folder=folder,
                strerror=error.strerror,
            )
        ) from None
    with writer:

        def on_epoch(report: dict[str, Any]) -> None:
            for name, value in report.items():
                if name != "epoch":
                    part, _, term = name.partition("_") if name.startswith("val_") else ("train", "", name)
                    writer.add_scalar(f"{term}/{part}", value, report["epoch"])

        yield on_epoch
