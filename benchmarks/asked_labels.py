"""The share of asked digits that are what was asked, by the packaged digit classifier: `python -m benchmarks.asked_labels RUN...`.

10,000 decoder means of each run on MNIST, as many of each label, seed 0; for a model or a prior that knows labels.
"""

import sys

import numpy as np

from vaelab.evaluation.feature_networks import digit_classifier
from vaelab.evaluation.figure import share, share_figure
from vaelab.generating import decode, sampled
from vaelab.model_file import load_model
from vaelab.runs import Run

COUNT = 10_000


def asked_share(run: Run, count: int = COUNT) -> np.ndarray:
    """Whether each draw is taken for what was asked."""
    model = load_model(run)
    drawn = sampled(model, count, balanced=True)
    images = decode(model, drawn.z, drawn.labels if model.is_conditional else None)
    _, classes = digit_classifier().described(np.clip(images, 0.0, 1.0))
    return classes == drawn.labels


def main() -> None:
    for name in sys.argv[1:]:
        hits = asked_share(Run.open(name))
        print(f"{name}: {share(share_figure(hits, 'draws'))} of {len(hits):,} are what was asked")


if __name__ == "__main__":
    main()
