"""One number of an evaluation, with what is known of its error."""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Num


@dataclasses.dataclass(frozen=True)
class Figure:
    """A value, its standard error where one is known, what that error is over (test images, samples, bootstrap draws), and of how many."""

    value: float
    standard_error: float | None = None
    over: str = ""
    n: int | None = None

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.standard_error is None else f"{self.value:.4g} ± {self.standard_error:.2g}"


def counted(count: int, thing: str) -> str:
    """`1 held-out image`, `2,000 held-out images`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def mean_figure(values: Num[np.ndarray, " values"], over: str) -> Figure:
    """The mean of so many values, with its standard error over them; none of one value."""
    values = np.asarray(values, np.float64)
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return Figure(float(values.mean()), error, over, len(values))


def share_figure(hits: Bool[np.ndarray, " values"], over: str) -> Figure:
    """A share of so many, with its binomial standard error; where all hit, or none, that of Laplace's rule of succession, which is not 0."""
    count, share = len(hits), float(np.mean(hits))
    p = share if 0.0 < share < 1.0 else (share * count + 1.0) / (count + 2.0)
    return Figure(share, math.sqrt(p * (1.0 - p) / count), over, count)
