"""Explore a trained latent space: in the browser, in a notebook, and as one file to give away.

bundle = bundle_of(["runs/tutorial-mnist"])      # what the page is given
serve(bundle, free_port(8008))                   # a page on this computer
write_export(bundle, Path("latent.html"))        # one file, no network
widget(bundle)                                   # in a notebook (the extra `notebook`)
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vaelab.prior_file import TRAINED

if TYPE_CHECKING:
    from vaelab.explorer.bundle import Bundle

__all__ = ["bundle_of"]


def bundle_of(
    names: Sequence[str],
    *,
    data: str | None = None,
    prior: str = TRAINED,
    training_data: str | None = None,
    label: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> "Bundle":
    """The bundle of one run, or of two to compare, by their folders or `pretrained:NAME`.

    `data`: the images on the map, a name or a path; by default the test images of what each run was trained on,
    wherever `training_data` says that this is now. `say` is told where a run has only a sample of them. `label`: the one
    that a model which sees labels decodes and draws as, by its name or number; by default the first.

    Raises:
        VaelabError: where a run, its model, its data or its prior cannot be used.
    """
    from vaelab.explorer.bundle import Bundle
    from vaelab.explorer.explored import explored_run
    from vaelab.model_file import label_number, load_model
    from vaelab.run_data import RunData, chosen_data
    from vaelab.runs import Run

    known: dict[str, RunData] = {}  # two runs on the same data read them once
    explored = []
    for number, name in enumerate(names):
        run = Run.open(name)
        own = run.folder if run.sample_file.is_file() else run.config.data.source
        fitted = None if data is None else load_model(run).values
        key = f"{data} {fitted}" if data is not None else f"{run.fingerprint()} {own}"
        if key not in known:
            known[key] = chosen_data(run, data, training_data, fitted=fitted)
            if known[key].note:
                say(known[key].note)
        chosen = prior if number == 0 or prior in run.prior_names() else TRAINED
        number_of = None if label is None else label_number(run, label)
        own_data = known[key]
        explored.append(
            explored_run(run, own_data.dataset, prior=chosen, split=own_data.split, label=number_of, say=say)
        )
    return Bundle(tuple(explored))
