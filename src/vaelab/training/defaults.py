"""What `auto` means: the beginning that holds for images of any size, by a rule on the training images alone.

The tutorial's settings are those of dark 28 x 28 digits. What a larger image changes is how far one step moves the network. Optimisers such
as RMSprop and Adam move every weight by about the learning rate, whatever the gradient; so one step moves a unit of the encoder's first
layer by the rate times sum_i |x_i|, which is 102 for a digit of MNIST and 5,500 for a photograph of 64 x 64 in colour: there a step of
the tutorial's rate throws the codes about, and the loss into millions. Three values follow from the training images:

- `training.first_layer_rate` = min(1, 128 / S), S the mean over images of sum_i |x_i|: a step moves the first layer's units no further
  than it does on digits. The sum is over what a unit reads: of a convolution a patch, which for pixels in [0, 1] has 48 at most, so that
  it keeps the whole rate. So falls the rate of Adam with a layer's fan-in in Yang et al., "Tensor programs V", NeurIPS 2021, table 3;
  here the fan-in that grows is the image. Every other layer keeps the whole rate. Clipping gradients would change nothing, for these
  optimisers divide by their size. Where the share is below 1 and pixels are larger than 1 (their root mean square), the layer's weights
  also begin smaller by as much.
- `model.output_bias` = `data-mean` where the sum over all of an image is above 128, or pixels are Gaussian; else `zeros`, as in Keras. The
  mean image is learnt slowly otherwise, and at every pixel's cost.
- `model.likelihood.scale` (Gaussian) = the pixels' standard deviation around the mean image: the best scale for that image, in the data's
  own units. At 1, pixels in [0, 1] hardly differ from their mean, and nothing is encoded.

On MNIST all three are what the tutorial has, to the letter.
"""

import math
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from vaelab.batching import equal_pieces
from vaelab.config import Config
from vaelab.pixels import scaled
from vaelab.settings import PartSettings, rounded

DIGIT_SUM = 128.0
"""The largest mean sum of an image's absolute values that the tutorial's rate is meant for: a little above MNIST's 102."""


COLOUR = "discretised-logistic"
"""The likelihood of colour photographs where nobody chose one (`python -m benchmarks.photographs`): in bits over their levels, of one
scale that follows its optimum. A cross-entropy, which is MNIST's, scores no grey value, and is no likelihood of colours."""


def usual_likelihood(images: np.ndarray) -> str | None:
    """The likelihood to take for images where nobody chose one; None: the configuration's own. Colour is (n, height, width, 3) of uint8."""
    colour = images.ndim == 4 and images.shape[3] == 3 and images.dtype == np.uint8
    return COLOUR if colour else None


def chosen_by_data(config: Config, images: np.ndarray) -> dict[str, Any]:
    """The values of the keys that are `auto`, for training images (n, *image_shape), uint8 or floating point."""
    likelihood = config.model.likelihood
    unbounded = not likelihood.support.is_unit
    found: dict[str, Any] = {}
    # read once, and only where something asks for it
    image_sum = _mean_sum(images) if "auto" in (config.training.first_layer_rate, config.model.output_bias) else 0.0
    if config.training.first_layer_rate == "auto":
        shape = images.shape[1:]
        read = image_sum * (config.model.encoder.values_read(shape) / math.prod(shape))
        found["training.first_layer_rate"] = rounded(min(1.0, DIGIT_SUM / read)) if read > 0.0 else 1.0
    if config.model.output_bias == "auto":
        found["model.output_bias"] = "data-mean" if unbounded or image_sum > DIGIT_SUM else "zeros"
    for part, network in (("encoder", config.model.encoder), ("decoder", config.model.decoder)):
        chosen = network.completed(images.shape[1:], decodes=part == "decoder")
        found |= _changed(f"model.{part}", network, chosen)
    return found | _changed("model.likelihood", likelihood, likelihood.completed(spread=lambda: _spread(images)))


def _changed(room: str, before: PartSettings, after: PartSettings) -> dict[str, Any]:
    return {f"{room}.{name}": value for name, value in after.model_dump().items() if value != getattr(before, name)}


def mean_image(images: np.ndarray) -> np.ndarray:
    """The mean of images (n, *image_shape) as the model sees them."""
    return np.mean([part.mean(axis=0) for part in _in_parts(images)], axis=0)


def pixel_size(images: np.ndarray) -> float:
    """The root of the mean square of all pixels, as the model sees them."""
    return float(np.sqrt(np.mean([np.square(part, dtype=np.float64).mean() for part in _in_parts(images)])))


def _mean_sum(images: np.ndarray) -> float:
    return float(np.mean([np.abs(part).sum() / len(part) for part in _in_parts(images)]))


def _spread(images: np.ndarray) -> float:
    """The standard deviation of all pixels around the mean image."""
    mean = mean_image(images)
    return float(np.sqrt(np.mean([np.square(part - mean, dtype=np.float64).mean() for part in _in_parts(images)])))


def _in_parts(images: np.ndarray) -> Iterator[np.ndarray]:
    """Some images at a time as the model sees them: never all of them at once."""
    for piece in equal_pieces(len(images), 5000):
        yield np.asarray(scaled(jnp.asarray(images[piece])))
