"""What fitting gives back."""

from dataclasses import dataclass, fields
from typing import Any

from vaelab.priors.base import AbstractPrior


@dataclass(frozen=True)
class Fit:
    """One density fitted to draws."""

    prior: AbstractPrior
    words: str  # what it is: "a mixture of 50 Gaussians"
    chosen: str | None = None  # what was chosen by held-out likelihood: "components"
    tried: tuple[tuple[str, float], ...] = ()  # each candidate, with its mean held-out log-likelihood in nats
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FittedPrior:
    """A prior fitted to the latents of a model, and how it does on draws of images that it was not fitted to."""

    prior: AbstractPrior
    kind: str
    words: str
    chosen: str | None
    tried: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    images: int  # fitted to
    held_out_images: int
    held_out: float  # mean log-likelihood of the held-out draws, nats
    normal: float  # the same under N(0, I), or under the model's own prior where z is no vector of all numbers
    gain: float  # held_out - normal
    gain_standard_error: float  # over the held-out draws, paired
    seed: int
    seconds: float
    beside: str = "N(0, I)"  # what `normal` is under

    def facts(self) -> dict[str, Any]:
        """All but the prior itself and the time, as JSON has it: for the header of its file."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("prior", "seconds")
        }
