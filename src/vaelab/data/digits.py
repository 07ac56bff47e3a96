"""scikit-learn's `digits`: 1,797 handwritten digits of 8x8 pixels, installed with scikit-learn."""

import numpy as np

from vaelab.data.dataset import Split

DIGITS_LICENCE = "CC BY 4.0, E. Alpaydin and C. Kaynak (UCI, Optical Recognition of Handwritten Digits)"
_INK_LEVELS = 16  # each pixel counts the ink of a 4x4 block


def read_digits() -> Split:
    """All 1,797 images as uint8: the file's values 0..16 are brought to 0..255 by `round(value * 255 / 16)`."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = np.round(np.asarray(pixels).reshape(-1, 8, 8) * (255 / _INK_LEVELS)).astype(np.uint8)
    return Split(images, np.asarray(labels).astype(np.int64))
