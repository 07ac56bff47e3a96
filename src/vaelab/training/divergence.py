"""When training has gone wrong, and what is said of it: nothing that is kept has such weights.

Two things are looked for after each epoch. Numbers that are none: in the losses, in the weights and their averages, in the scores of
images under the weights as they are now (a loss is of the weights before its step, so the last step's are in none). And losses that
are finite but absurd: worse than those of a model that does without latents, the mean image under the same likelihood.
"""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from vaelab.config import Config
from vaelab.language import translated
from vaelab.model import Model, mean_image_alone
from vaelab.pixels import Pixels, seen
from vaelab.training.defaults import mean_image
from vaelab.training.epoch import Scores, StepLosses, first_bad_step, in_order

HOPELESS = 10
"""After so many epochs in a row with absurd losses, training ends."""

JUDGED = 1000
"""At most so many training images say what the mean image costs, and are scored where nothing is held out."""


@jax.jit
def all_finite(tree: PyTree) -> Bool[Array, ""]:
    """Whether every number in a tree's arrays is one."""
    arrays = [leaf for leaf in jax.tree.leaves(tree) if eqx.is_inexact_array(leaf)]
    return jnp.all(jnp.stack([jnp.isfinite(array).all() for array in arrays]))


def not_finite(losses: StepLosses, finite: Bool[Array, ""], scores: Scores) -> tuple[int, str] | None:
    """The step of the epoch, counted from 0, after which a number is none, and where; None if all is well.

    `finite` is `all_finite` of the weights of all players and their averages; `scores` are of images under them.
    """
    bad = first_bad_step(losses)
    if bad is not None:
        return bad
    last = len(np.asarray(losses.beta)) - 1
    if not bool(finite):
        return last, "weights"
    broken = [name for name in in_order(scores) if name != "loss" and not np.isfinite(float(scores[name]))]
    return (last, " and ".join(broken)) if broken else None


@dataclass(frozen=True)
class Bar:
    """What any model of use beats: losses in nats an image, of `pixels` values."""

    mean_image: float  # of the mean image alone, under the same likelihood
    untrained: float  # of what the decoder draws before training
    pixels: int

    @property
    def height(self) -> float:
        """The loss above which a model is worse than none.

        A quarter of a nat a pixel is left to one that has hardly been trained, and twice of what the untrained one lies above the mean
        image, for that figure rests on a few draws.
        """
        untrained = 2.0 * max(self.untrained - self.mean_image, 0.0)
        return self.mean_image + untrained + max(0.25 * self.pixels, 50.0)

    def is_missed(self, trained: float, held_out: float) -> bool:
        """Whether both losses are absurd, or the held-out one beyond what too small a training set explains (ten nats a pixel)."""
        return min(trained, held_out) > self.height or held_out > self.height + 10.0 * max(self.pixels, 100)


def bar(model: Model, images: np.ndarray, pixels: Pixels, labels: np.ndarray | None = None) -> Bar:
    """The bar for the model at its beginning, on training images (n, *image_shape), of which some are scored.

    A conditional model sees their `labels`; any other looks away.
    """
    model = replace(model, values=None)  # which no loss looks at, and programs would differ by
    # with no weights before its bias, a decoder draws the mean image whatever z is
    drawer = mean_image_alone(model, jnp.asarray(mean_image(images), jnp.float32))
    some = jnp.asarray(images[:JUDGED])

    some = seen(some, pixels, jr.key(0))
    own = jnp.asarray(labels[:JUDGED]) if model.is_conditional and labels is not None else None
    return Bar(float(_loss_of_draws(drawer, some, own)), float(_loss_of_draws(model, some, own)), some[0].size)


@jax.jit
def _loss_of_draws(model: Model, images: Float[Array, "n *image"], labels: Int[Array, " n"] | None) -> Float[Array, ""]:
    """The mean of -log p(x|z) in nats, each image under a z of its own from N(0, I): about where an untrained encoder puts them."""
    z = jr.normal(jr.key(1), (images.shape[0], model.latent_dim))
    return -jax.vmap(lambda z, image, label: model.likelihood(z, label).log_prob(image))(z, images, labels).mean()


def under_current_beta(reconstruction: float, kl: float, beta: float) -> float:
    """The loss that a bar is held to: with no more than beta's share of the KL while it rises, and never more than the whole."""
    return reconstruction + min(beta, 1.0) * kl


def advice(config: Config) -> str:
    """What to change in a training that diverged."""
    rate = config.training.learning_rate
    tried = [
        translated(
            "Try a smaller learning rate (--learning-rate {smaller:.1g}; it was {rate:g})",
            smaller=min(rate / 10, 1e-3),
            rate=rate,
        )
    ]
    if config.training.clip_norm is None:
        tried.append("--set training.clip_norm=10")
    if config.objective.warmup_length[0] == 0:
        tried.append(translated("a warm-up (--set objective.warmup=0.2)"))
    return translated(
        "{tried}, or look for extreme values in the data: pixels are best in [0, 1]", tried=", ".join(tried)
    )
