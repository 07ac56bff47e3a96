"""Importance samples from q(z|x) alone and from widened posteriors, against quadrature, on the packaged tutorial model.

Run as `python -m benchmarks.proposals`: the first 1,000 MNIST test images, K = 5000.
"""

import jax.random as jr

from vaelab.data import load_data
from vaelab.evaluation.likelihood import ALONE, WIDENED, importance_weighted_bound
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.model_file import load_model
from vaelab.pixels import seen_once
from vaelab.runs import Run

IMAGES, SAMPLES = 1000, 5000


def main() -> None:
    model = load_model(Run.open("pretrained:tutorial"))
    prior = model.prior_density()
    images = load_data("mnist").test.images[:IMAGES]
    for pixels in ("grey", "dynamic"):
        seen = seen_once(images, pixels, 0)
        exact = exact_log_probs(model, prior, seen).log_prob
        for name, widths in (("q(z|x) alone", ALONE), ("widened", WIDENED)):
            found = importance_weighted_bound(model, prior, seen, samples=SAMPLES, key=jr.key(0), widths=widths)
            excess = exact - found.log_prob
            print(
                f"{pixels}, {name}: above the exact one by {excess.mean():.4f} nats on average, {excess.max():.2f} at most; "
                f"{100 * (excess > 1).mean():.1f} % of the images by more than 1",
                flush=True,
            )


if __name__ == "__main__":
    main()
