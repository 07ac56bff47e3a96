"""Optimisers and learning-rate schedules by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from vaelab.config import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    LinearSchedule,
    ScheduleConfig,
    TrainingConfig,
)
from vaelab.errors import VaelabError
from vaelab.families.own_pace import own_optimiser
from vaelab.language import translated
from vaelab.nearest import nearest_name

OPTIMISERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adabelief": optax.adabelief,
    "adagrad": optax.adagrad,
    "adam": optax.adam,
    "adamax": optax.adamax,
    "adamw": optax.adamw,
    "lamb": optax.lamb,
    "lion": optax.lion,
    "nadam": optax.nadam,
    "nadamw": optax.nadamw,
    "novograd": optax.novograd,
    "radam": optax.radam,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
    "yogi": optax.yogi,
}


@dataclass(frozen=True)
class Optimiser:
    """A player's optimiser as a value: two of the same settings are equal, which two of optax's are not.

    So a step that was compiled with one of them is found again. The learning rate is given apart, as an array, and is no part of what
    is compiled; but where the first layer takes a share of it, for XLA makes one factor of two constants, and its rounding is another.
    """

    settings: TrainingConfig = field(hash=False)  # options are a table, which has no hash; equality knows them
    steps: int

    @classmethod
    def of(cls, settings: TrainingConfig, steps: int) -> tuple["Optimiser", Float[Array, ""] | None]:
        """The optimiser of a training of so many steps, and its rate; None where that is in it."""
        kept = {name: getattr(settings, name) for name in ("optimiser", "optimiser_options", "schedule", "clip_norm")}
        shares = settings.first_layer_rate != 1.0
        if shares:
            kept |= {name: getattr(settings, name) for name in ("learning_rate", "first_layer_rate")}
        # only a schedule counts them
        counted = 0 if isinstance(settings.schedule, ConstantSchedule) else steps
        rate = None if shares else jnp.float32(settings.learning_rate)
        return cls(TrainingConfig(**kept), counted), rate

    def build(
        self,
        rate: Float[Array, ""] | None,
        reads_pixels: PyTree[bool] | None = None,
        own_paced: PyTree[bool] | None = None,
    ) -> optax.GradientTransformation:
        """Optax's own, as `build_optimiser`; `own_paced` is True for each parameter that is not its business (`model.own_paced`)."""
        built = build_optimiser(self.settings, self.steps, reads_pixels, rate)
        if own_paced is None or not any(jax.tree.leaves(own_paced)):
            return built
        labels = jax.tree.map(lambda own: "own" if own else "run", own_paced)
        return promoting(optax.partition({"run": built, "own": own_optimiser()}, labels))


def build_optimiser(
    config: TrainingConfig,
    steps: int,
    reads_pixels: PyTree[bool] | None = None,
    rate: Float[Array, ""] | None = None,
) -> optax.GradientTransformation:
    """The optimiser of a training of so many steps: clipping, if any, before it, and the first layer's own rate after it.

    `reads_pixels` is True for each parameter that `training.first_layer_rate` is meant for (`model.weights_on_pixels`); `rate` is the
    configuration's learning rate, unless given.

    Raises:
        VaelabError: for an optimiser or an option of it that optax does not have.
    """
    if config.optimiser not in OPTIMISERS:
        raise VaelabError(
            translated(
                "training.optimiser: unknown optimiser '{optimiser}'; {nearest_name}",
                optimiser=config.optimiser,
                nearest_name=nearest_name(config.optimiser, OPTIMISERS),
            )
        )
    make = OPTIMISERS[config.optimiser]
    known = set(inspect.signature(make).parameters) - {"learning_rate"}
    for option in config.optimiser_options:
        if option not in known:
            raise VaelabError(
                translated(
                    "training.optimiser_options: {optimiser} has no option '{option}'; {nearest_name}",
                    optimiser=config.optimiser,
                    option=option,
                    nearest_name=nearest_name(option, known),
                )
            )
    try:
        optimiser = make(
            build_schedule(config.schedule, config.learning_rate if rate is None else rate, steps),
            **config.optimiser_options,
        )
        # some options are looked at when the optimiser is used: a step of one number, in the abstract
        with jax.numpy_dtype_promotion("standard"):
            jax.eval_shape(lambda x: optimiser.update(x, optimiser.init(x), x), jax.ShapeDtypeStruct((1,), jnp.float32))
    except (TypeError, ValueError) as error:
        options = ", ".join(f"{name} = {value}" for name, value in config.optimiser_options.items())
        raise VaelabError(
            translated(
                "training.optimiser_options: {optimiser} cannot be built with {options} ({value}); give the options that are "
                "numbers, true or false",
                optimiser=config.optimiser,
                options=options,
                value=str(error).splitlines()[0],
            )
        ) from None
    if config.clip_norm is not None:
        optimiser = optax.chain(optax.clip_by_global_norm(config.clip_norm), optimiser)
    if reads_pixels is not None and config.first_layer_rate not in (1.0, "auto"):
        optimiser = optax.chain(optimiser, optax.masked(optax.scale(config.first_layer_rate), reads_pixels))
    return promoting(optimiser)


def promoting(optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
    """Optax mixes float32 with its int32 step counts, so its own lines run under JAX's standard promotion, whatever ours do."""

    def update(updates: PyTree, state: PyTree, params: PyTree | None = None):
        with jax.numpy_dtype_promotion("standard"):
            return optimiser.update(updates, state, params)

    return optax.GradientTransformation(optimiser.init, update)


def build_schedule(
    config: ScheduleConfig, peak: float | Float[Array, ""], steps: int
) -> optax.Schedule | float | Float[Array, ""]:
    """The learning rate at each step."""
    if isinstance(config, ConstantSchedule):
        return peak
    if isinstance(config, CosineSchedule):
        rise = round(config.rise * steps)
        fall = optax.cosine_decay_schedule(peak, max(steps - rise, 1), config.final)
        return optax.join_schedules([optax.linear_schedule(0.0, peak, rise), fall], [rise]) if rise else fall
    if isinstance(config, LinearSchedule):
        hold = round(config.hold * steps)
        return optax.linear_schedule(peak, peak * config.final, max(steps - hold, 1), hold)
    if isinstance(config, ExponentialSchedule):
        return optax.exponential_decay(peak, steps, config.final)
    return optax.piecewise_constant_schedule(peak, {round(at * steps): config.factor for at in config.at})
