"""How beta rises from 0 to its final value: once at the beginning, or in cycles."""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.language import plural, to_translate, translated


class WarmUp(NamedTuple):
    """The rise of beta in steps. Without one, `rise` is 0."""

    rise: int  # over so many steps
    period: int  # after so many steps it begins again
    cycles: int  # so many times in all

    @property
    def ends(self) -> int:
        """The first step after the last rise: from here on beta has its final value."""
        return (self.cycles - 1) * self.period + self.rise


def warm_up_of(config: Config, steps_per_epoch: int) -> WarmUp:
    """The warm-up of a training of so many steps an epoch.

    Raises:
        VaelabError: where one rise is longer than training, or than its cycle.
    """
    number, unit = config.objective.warmup_length
    cycles = config.objective.cycles
    total = steps_per_epoch * config.training.epochs
    period = math.ceil(total / cycles)
    # a share of the cycle as it is, not as it is rounded up
    rise = round({"share": number * total / cycles, "epochs": number * steps_per_epoch, "steps": number}[unit])
    if rise > period:
        whole = (
            to_translate("training's {total:,}", total=total)
            if cycles == 1
            else to_translate("the {period:,} of each of {cycles} cycles", period=period, cycles=cycles)
        )
        raise VaelabError(
            translated(
                "objective.warmup = '{warmup}' is {rise:,} steps, longer than {whole} ({an_epoch}); "
                "choose a shorter one, or more epochs",
                warmup=config.objective.warmup,
                rise=rise,
                whole=whole,
                an_epoch=plural("{count:,} step per epoch", "{count:,} steps per epoch", steps_per_epoch),
            )
        )
    return WarmUp(rise, period, cycles)


def beta_at(step: Int[Array, ""], beta: float, warm_up: WarmUp) -> Float[Array, ""]:
    """Beta at a step, counted from 0: it rises linearly over the first steps of each cycle, and stays.

    Bowman et al., "Generating sentences from a continuous space", CoNLL 2016, section 3.1; in cycles, Fu et al., "Cyclical annealing
    schedule", NAACL 2019, eqs. 6 and 7: with M cycles over T steps, beta(t) = min(tau / R, 1), tau = mod(t, ceil(T / M)) / (T / M).
    """
    if warm_up.rise == 0:
        return jnp.float32(beta)
    if warm_up.cycles > 1:
        step = step % warm_up.period
    return jnp.float32(beta) * jnp.minimum(step.astype(jnp.float32) / warm_up.rise, 1.0)
