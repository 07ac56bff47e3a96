"""Patches of photographs: which network, and which likelihood.

    python -m benchmarks.photographs patches FOLDER       # 64 x 64 in colour, as PNG: FOLDER/train, FOLDER/test
    python -m benchmarks.photographs table FOLDER WORK    # trains, and writes benchmarks/results/photographs.json

The photographs are those that scikit-image and scikit-learn ship (astronaut, coffee, chelsea, rocket, motorcycle, china, flower). Of each
the left four fifths are for training and the rest for scoring, at full and at half size, so that no pixel is in both.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 64
STEP = 20
"""Pixels from one patch to the next."""
EPOCHS = 30
LATENT = 32
RESULTS = Path(__file__).parent / "results" / "photographs.json"

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"model.encoder.hidden": [512], "model.decoder.hidden": [512]},
    "convolutional": {"model.encoder.kind": "convolutional", "model.decoder.kind": "convolutional"},
    "residual": {"model.encoder.kind": "residual", "model.decoder.kind": "residual"},
}
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


def main(arguments: list[str]) -> None:
    match arguments:
        case ["patches", folder]:
            write(Path(folder))
        case _:
            print(__doc__)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
