"""One number of an evaluation, with what is known of its error."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Figure:
    """A value, its standard error where one is known, what that error is over (test images, samples, bootstrap draws), and of how many."""

    value: float
    standard_error: float | None = None
    over: str = ""
    n: int | None = None

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.standard_error is None else f"{self.value:.4g} ± {self.standard_error:.2g}"
