"""What the settings of a part are: a frozen pydantic model that names its kind, and the class that it builds.

Nothing here or in any room's `settings.py` imports JAX: a misspelt key, `--help` and reading a run's configuration cost no second.
"""

import math
import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vaelab.language import translated
from vaelab.support import REALS, Domain, Support

Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveCount = Annotated[int, Field(ge=1)]
PositiveNumber = Annotated[float, Field(gt=0.0)]


def rounded(value: float) -> float:
    """Three digits: enough for a rule of thumb, and short in `config.toml`."""
    return float(f"{value:.3g}")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PartSettings(Frozen):
    """The settings of one kind of part. `kind` is its name in a configuration; `part` is where its class lies, "module:Class"."""

    part: ClassVar[str]
    kind: str


class NetworkSettings(PartSettings):
    """Of a network: features in, features out. Its class is built by `build(settings, given, *, key)`, `given` the `Space` of its input.

    A `build` that names `wanted` too is told the `Space` of the image that a decoder aims at; for an encoder it is None.
    """

    def completed(self, image_shape: tuple[int, ...], *, decodes: bool) -> "NetworkSettings":
        """With what only the images can tell; `decodes`: whether it is the decoder's."""
        del image_shape, decodes
        return self

    def values_read(self, image_shape: tuple[int, ...]) -> int:
        """How many values of an image a unit of the first layer reads: all of them, unless it looks at some at a time."""
        return math.prod(image_shape)

    is_flat: ClassVar[bool] = False
    """Whether it reads whatever is given as one vector; a label then stands beside that, and not at every place of a map."""
    is_named: ClassVar[bool] = True
    """False for one that another setting puts in place, and no configuration names."""


class PosteriorSettings(PartSettings):
    """Of a family of q(z|x). Its class is built by `build(settings, shape, *, key)`, `shape` that of z."""

    support: ClassVar[Support] = REALS
    """Where z lives (`Support.domain`): a prior must live there too."""

    has_density: ClassVar[bool] = True
    """False for codes without a spread: no KL, no likelihood, no prior to train."""
    factorises: ClassVar[bool] = False
    """Whether the entries of z are independent given x, and each array of its densities has one number for each entry."""
    scores_any: ClassVar[bool] = True
    """Whether log q(z|x) is had of any z with the gradient by z, and not only of the density's own draws."""
    quick_elsewhere: ClassVar[bool] = True
    """False where log q(z|u) of some hundred pseudo-inputs u at each draw z would cost far more than the networks do."""

    def why_not(self, latent_dim: int) -> str | None:
        """Why z cannot have so many numbers; None where it can."""
        del latent_dim
        return None


class LikelihoodSettings(PartSettings):
    """Of a family of p(x|z). Its class is built by `build(settings, shape, *, key)`, `shape` that of x."""

    support: ClassVar[Support] = REALS

    def completed(self, *, spread: Callable[[], float]) -> "LikelihoodSettings":
        """With what only the training images can tell: `spread` is their pixels' standard deviation around the mean image."""
        del spread
        return self


class PriorSettings(PartSettings):
    """Of a p(z). Its class is built by `build(settings, shapes, *, key)`, `shapes` those of z and x (`vaelab.priors.base.Shapes`)."""

    is_trained: ClassVar[bool] = True
    """False for one that is only ever fitted afterwards."""
    fit: ClassVar[str | None] = None
    """Where the function lies that fits one to codes, "module:function"; None: it is only trained with the model."""
    exact_up_to: ClassVar[int | None] = None
    """In more dimensions than these its log-density is only a bound; None: it is exact in any."""
    is_fixed: ClassVar[bool] = False
    """Whether it has nothing to train: all that an autoencoder can have."""
    needs_labels: ClassVar[bool] = False
    factorises: ClassVar[bool] = False
    """Whether its entries are independent Gaussians, so that the KL of a factorised posterior is a sum over entries."""
    domains: ClassVar[tuple[Domain, ...]] = ("reals",)
    """Where z may live for it to have a density there."""
    scores_posteriors: ClassVar[bool] = False
    """Whether p(z) is made of log q(z|u) of many u."""

    def completed(self, *, classes: Callable[[], int]) -> "PriorSettings":
        """With what only the data can tell: `classes` counts their labels."""
        del classes
        return self


class ObjectiveSettings(PartSettings):
    """Of what training minimises. Its class is built by `build(settings)`.

    Beta rises linearly from 0 over the warm-up, once or, with `cycles`, again and again.
    """

    needs_density: ClassVar[bool] = False
    """Whether it asks for log q(z|x), which codes without a spread do not have."""
    needs_factorised: ClassVar[bool] = False
    """Whether it asks for log q(z_d|x), entry by entry."""
    one_draw: ClassVar[bool] = False
    """Whether it takes one draw of each image, whatever `samples` says: then that has to be 1."""
    least_batch: ClassVar[int] = 1
    """The fewest images that it can be told from."""

    beta: Annotated[float, Field(ge=0.0)] = Field(default=1.0, description="the weight of the KL term")
    warmup: float | str = Field(
        default=0.0,
        description='how long beta rises from 0: a share of all steps (of each cycle), from 0 to 1, or `"5 epochs"`, or `"2000 steps"`',
    )
    cycles: PositiveCount = Field(
        default=1, description="so many times in a training beta begins again at 0, rises over the warm-up, and stays"
    )
    samples: PositiveCount = Field(default=1, description="draws of z for each image")

    def completed(self, *, images: int) -> "ObjectiveSettings":
        """With what only the data can tell: `images` are trained on."""
        del images
        return self

    def refusal(self, posterior: PosteriorSettings, prior: PriorSettings) -> str | None:
        """Why it cannot be with these parts, and the nearest that can, beyond what the attributes above say; None where it can."""
        del posterior, prior

    @model_validator(mode="after")
    def _warmup_fits(self) -> "ObjectiveSettings":
        number, unit = self.warmup_length
        if unit == "share" and number > 1.0:
            raise ValueError(
                translated(
                    "warm-up is a share of training, from 0 to 1; found {number:g}, which is longer than training. For epochs, "
                    "write '{number:g} epochs'",
                    number=number,
                )
            )
        if self.cycles > 1 and number == 0.0:
            raise ValueError(
                translated(
                    "objective.cycles = {cycles} needs objective.warmup, how long beta rises in each, such as 0.5; found 0",
                    cycles=self.cycles,
                )
            )
        return self

    @property
    def warmup_length(self) -> tuple[float, Literal["share", "epochs", "steps"]]:
        """The length of one rise of beta, and what it is counted in; a share is of one cycle."""
        if not isinstance(self.warmup, str):
            if self.warmup < 0.0:
                raise ValueError(translated("warm-up must be 0 or more; found {warmup:g}", warmup=self.warmup))
            return self.warmup, "share"
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *(epoch|step)s?", self.warmup.strip())
        if found is None:
            raise ValueError(
                translated(
                    "warm-up is a share of training such as 0.2, or '5 epochs', or '2000 steps'; found '{warmup}'",
                    warmup=self.warmup,
                )
            )
        return float(found[1]), "epochs" if found[2] == "epoch" else "steps"
