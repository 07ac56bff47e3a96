"""Train the digit classifier whose hidden layer judges samples of MNIST, and write its weights into the package.

    python scripts/train_digit_classifier.py

First 50,000 training images, the last 10,000 held out: the settings are judged there and nowhere else. Then all 60,000 with the same
settings. The test set is looked at once, after the weights are final.
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np

from vaelab.data import load_data
from vaelab.evaluation.classifier import Classifier
from vaelab.evaluation.classifier_file import load_classifier, save_classifier
from vaelab.evaluation.classifier_training import train_classifier
from vaelab.evaluation.feature_networks import accuracy

SETTINGS = {"epochs": 12, "batch_size": 128, "learning_rate": 2e-3, "weight_decay": 1e-3, "dropout": 0.3, "average": 0.998, "seed": 0}
PACKAGED = Path(__file__).parent.parent / "src/vaelab/evaluation/digit_classifier.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PACKAGED)
    parser.add_argument("--skip-held-out", action="store_true", help="train the final classifier only")
    arguments = parser.parse_args()
    mnist = load_data("mnist", validation_size=0)
    images, labels, test = mnist.train.images, np.asarray(mnist.train.labels), mnist.test
    about: dict[str, object] = {"data": "MNIST", "settings": SETTINGS, "jax": jax.__version__}

    if not arguments.skip_held_out:
        fitted, held_out = slice(None, -10_000), slice(-10_000, None)
        classifier = train_classifier(images[fitted], labels[fitted], **SETTINGS, progress=printer(images[held_out], labels[held_out], "held-out"))
        about["held_out_accuracy"] = accuracy(classifier, images[held_out], labels[held_out])

    start = time.perf_counter()
    classifier = train_classifier(images, labels, **SETTINGS, progress=printer(images[:2000], labels[:2000], "training"))
    about["training_seconds"] = round(time.perf_counter() - start)
    save_classifier(arguments.out, classifier, name="MNIST digit classifier", image_shape=(28, 28, 1), dtype=np.float16, about=about)
    classifier, header = load_classifier(arguments.out)  # the weights as rounded to half precision
    about["test_accuracy"] = accuracy(classifier, test.images, np.asarray(test.labels))
    save_classifier(arguments.out, classifier, name=str(header["name"]), image_shape=(28, 28, 1), dtype=np.float16, about=about)
    print(about)


def printer(images: np.ndarray, labels: np.ndarray, kind: str):
    start = time.perf_counter()

    def show(epoch: int, loss: float, classifier: Classifier) -> None:
        share = accuracy(classifier, images, labels)
        print(f"epoch {epoch:2d}  loss {loss:.4f} nats  {kind} accuracy {100 * share:.2f} %  {time.perf_counter() - start:.0f} s", flush=True)

    return show


if __name__ == "__main__":
    main()
