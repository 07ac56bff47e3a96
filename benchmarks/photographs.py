"""Patches of photographs: which network, and which likelihood.

    python -m benchmarks.photographs patches FOLDER     # 64 x 64 in colour, as PNG: FOLDER/train, FOLDER/test
    python -m benchmarks.photographs table RESULTS.json # at half that size: each network with each likelihood, 20 epochs, a line each
    python -m benchmarks.photographs table RESULTS.json mlp 'laplace, optimal scale'

It needs scikit-image. The photographs are those that scikit-image and scikit-learn ship (astronaut, coffee, chelsea, rocket, motorcycle,
china, flower). Of each the left four fifths are for training and the rest for scoring, at full and at half size, so that no pixel is in
both.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import machine

SIDE = 64
STEP = 20
"""Pixels from one patch to the next."""
EPOCHS, BATCH, LATENT, HIDDEN = 20, 64, 32, 512
NETWORKS = ("mlp", "convolutional", "residual")
LIKELIHOODS: dict[str, dict[str, Any]] = {
    "gaussian, scale fixed": {"kind": "gaussian", "learned": False},
    "gaussian, optimal scale": {"kind": "gaussian", "learned": "optimal"},
    "laplace, optimal scale": {"kind": "laplace"},
    "continuous-bernoulli": {"kind": "continuous-bernoulli"},
    "discretised-logistic, optimal scale": {"kind": "discretised-logistic"},
    "discretised-logistic, a scale each": {"kind": "discretised-logistic", "learned": "each"},
    "logistic-mixture": {"kind": "logistic-mixture"},
    "categorical": {"kind": "categorical"},
}


def photographs() -> Iterator[Image.Image]:
    """In colour, of 300 to 741 pixels a side."""
    from skimage import data
    from skimage.io import imread
    from sklearn.datasets import load_sample_images

    folder = Path(data.__file__).parent
    for name in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png"):
        yield Image.fromarray(np.asarray(imread(folder / name))[..., :3])
    for array in load_sample_images().images:
        yield Image.fromarray(array)


def patches() -> dict[str, np.ndarray]:
    """`train` and `test`, uint8 (n, 64, 64, 3)."""
    found: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for photograph in photographs():
        for size in (1.0, 0.5):
            small = photograph.resize(
                (round(photograph.width * size), round(photograph.height * size)), Image.Resampling.BOX
            )
            whole = np.asarray(small)
            cut = whole.shape[1] * 4 // 5
            for part, pixels, step in (("train", whole[:, :cut], STEP), ("test", whole[:, cut:], SIDE // 2)):
                for top in range(0, pixels.shape[0] - SIDE + 1, step):
                    for left in range(0, pixels.shape[1] - SIDE + 1, step):
                        found[part].append(pixels[top : top + SIDE, left : left + SIDE])
    return {part: np.stack(found[part]) for part in found}


def write(folder: Path) -> None:
    for part, images in patches().items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / part / f"{number:05d}.png")
        print(f"{part}: {len(images)} patches")


def halved(images: np.ndarray) -> np.ndarray:
    """uint8 (n, H, W, C) at half the size, by averages of 2 x 2."""
    count, height, width, channels = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return np.rint(blocks.mean((2, 4))).astype(np.uint8)


def measure(network: str, likelihood: str, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Of held-out patches: the bound in bits for each number (a density's nats as if a level were a bin of 1/255), KL in nats, and the
    squared error of reconstructions, summed over pixels in [0, 1].
    """
    import jax
    import jax.numpy as jnp
    import jax.random as jr

    from vaelab import VAE
    from vaelab.objectives.terms import elbo_of_images

    own = {"hidden": (HIDDEN,)} if network == "mlp" else {"network": network}
    start = time.perf_counter()
    vae = VAE(LATENT, likelihood=LIKELIHOODS[likelihood], epochs=EPOCHS, batch_size=BATCH, random_state=0, **own).fit(
        train
    )
    seconds = time.perf_counter() - start
    keys = jr.split(jr.key(0), len(test))
    score = jax.jit(lambda model, images, keys: elbo_of_images(model, images, None, jnp.float32(1.0), keys))
    terms = score(vae.model_, jnp.asarray(test, jnp.float32) / 255.0, keys)
    values = test[0].size
    bits = float(terms["loss"].mean()) / (values * np.log(2.0))
    if vae.model_.decoder.support.levels is None:
        bits += np.log2(255.0)
    error = (np.asarray(vae.reconstruct(test), np.float64) - test) / 255.0
    return {
        "bits": bits,
        "kl": float(terms["kl"].mean()),
        "squared_error": float((error**2).sum((1, 2, 3)).mean()),
        "seconds": seconds,
    }


def table(results: Path, networks: list[str], likelihoods: list[str]) -> None:
    """What is measured already is kept; the file is written after each line."""
    found = json.loads(results.read_text()) if results.is_file() else {"machine": machine.describe(), "rows": {}}
    parts = {part: halved(images) for part, images in patches().items()}
    for network in networks:
        for likelihood in likelihoods:
            row = found["rows"].setdefault(network, {}).get(likelihood) or measure(
                network, likelihood, parts["train"], parts["test"]
            )
            found["rows"][network][likelihood] = row
            results.write_text(json.dumps(found, indent=2) + "\n")
            print(
                f"{network:14} {likelihood:36} " + "  ".join(f"{name} {value:.3f}" for name, value in row.items()),
                flush=True,
            )


def main(arguments: list[str]) -> None:
    match arguments:
        case ["patches", folder]:
            write(Path(folder))
        case ["table", results, *chosen]:
            networks = [name for name in NETWORKS if name in chosen] or list(NETWORKS)
            # of perceptrons, 256 logits a number would be some gigabytes
            likelihoods = [name for name in LIKELIHOODS if name in chosen] or [
                name for name in LIKELIHOODS if name != "categorical"
            ]
            table(Path(results), networks, likelihoods)
        case _:
            print(__doc__)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
