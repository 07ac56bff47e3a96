"""Which images a training is of."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vaelab.language import translated
from vaelab.settings import Frozen, PositiveCount


def _checked_size(value: Any) -> Any:
    """A side, or a height and a width: said as one thing, where pydantic would complain of each."""
    sides = value if isinstance(value, list | tuple) else [value]
    if (
        len(sides) > 2
        or not sides
        or not all(isinstance(side, int) and side is not True and side >= 1 for side in sides)
    ):
        raise ValueError(
            translated(
                "expected a side in pixels, such as 32, or a height and a width, such as [30, 45]; found {value!r}",
                value=value,
            )
        )
    return value if sides is value and len(sides) == 2 else sides[0]


class DataConfig(Frozen):
    """Which images, and how the model sees their pixels."""

    name: str = Field(default="mnist", description="a known name, or the path of a file or folder")
    size: Annotated[PositiveCount | tuple[PositiveCount, PositiveCount], BeforeValidator(_checked_size)] | None = Field(
        default=None, description="bring a folder's images to size x size, or to [height, width]"
    )
    skip_bad: bool = Field(
        default=False, description="leave out the files of a folder that cannot be read, and name them"
    )
    pixels: Literal["grey", "dynamic", "threshold", "static"] = Field(
        default="grey",
        description="as the model sees them: `grey`; `dynamic` (binarised afresh each time); `threshold` (at one half); `static`",
    )
    static_file: str | None = Field(
        default=None,
        description="the images of `data.name` binarised once, for `static`; they take their labels from there where the order is the same",
    )
    balance: bool = Field(default=False, description="each label equally often in an epoch, however many images it has")
    validation: Literal["held-out", "test", "none"] = Field(
        default="held-out",
        description="scored after each epoch: a part held out of training; `test` (train on all, nothing selected); `none`",
    )
    validation_size: PositiveCount | None = Field(
        default=None, description="how many images are held out; left out, 10,000 of MNIST and a tenth of anything else"
    )
    validation_seed: int = Field(default=0, description="which")
    test_seed: int = Field(default=0, description="of the one draw that `dynamic` makes of held-out images")

    @property
    def source(self) -> dict[str, Any]:
        """The arguments of `load_data`."""
        return {
            "name_or_path": self.name,
            "size": self.size,
            "validation_size": self.validation_size,
            "validation_seed": self.validation_seed,
            "skip_bad": self.skip_bad,
            "binarised": self.static_file if self.pixels == "static" else None,
        }
