"""Explore a trained latent space: in the browser, in a notebook, and as one file to give away.

bundle = bundle_of(["runs/tutorial-mnist"])      # what the page is given
serve(bundle, free_port(8008))                   # a page on this computer
write_export(bundle, Path("latent.html"))        # one file, no network
widget(bundle)                                   # in a notebook (the extra `notebook`)
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaelab.priors import TRAINED

if TYPE_CHECKING:
    from vaelab.explorer.bundle import Bundle

__all__ = ["bundle_of"]


def bundle_of(names: Sequence[str], *, data: str | None = None, prior: str = TRAINED) -> "Bundle":
    """The bundle of one run, or of two to compare, by their folders or `pretrained:NAME`.

    `data`: the images on the map, a name or a path; by default the test images of what each run was trained on.

    Raises:
        VaelabError: where a run, its model, its data or its prior cannot be used.
    """
    from vaelab.data import Dataset
    from vaelab.explorer.bundle import Bundle
    from vaelab.explorer.explored import explored_run
    from vaelab.plotting.material import dataset_of
    from vaelab.runs import Run

    datasets: dict[str, Dataset] = {}
    explored = []
    for number, name in enumerate(names):
        run = Run.open(name)
        config = run.config.data
        key = data or f"{config.name} {config.size} {config.validation_seed}"
        if key not in datasets:
            datasets[key] = dataset_of(run, data)
        chosen = prior if number == 0 or prior in run.prior_names() else TRAINED
        explored.append(explored_run(run, datasets[key], prior=chosen))
    return Bundle(tuple(explored))
