"""The settings of the networks."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from vaelab.errors import VaelabError
from vaelab.kinds import NETWORKS
from vaelab.language import translated
from vaelab.settings import NetworkSettings, PositiveCount

Auto = Literal["auto"]
KERNEL = 4
"""Rows and columns of the convolutions that halve a map."""
SMALLEST_MAP = 4
"""What `auto` halves an image to, about."""
WIDEST = 128
LARGEST_WITH_BLOCKS = 32
"""Maps with a longer side have no residual blocks by `auto`: they are what costs."""


class MlpSettings(NetworkSettings):
    part = "vaelab.networks.mlp:Mlp"
    is_flat: ClassVar[bool] = True
    kind: Literal["mlp"] = Field(default="mlp", description="multilayer perceptron")
    hidden: tuple[PositiveCount, ...] = Field(default=(256,), description="widths, from the input on")
    activation: Literal["relu", "tanh", "gated"] = Field(default="relu", description="`relu`, `tanh`, `gated`")


class OfMapsSettings(NetworkSettings):
    """Of a network that halves an image again and again, or doubles a small map until it is one."""

    channels: tuple[PositiveCount, ...] | Auto = Field(
        default="auto",
        description="channels of each map, from the input on: an encoder halves the image as often, a decoder doubles; `auto`: 32, 64, "
        "128, 128, ... by the image's size, in a decoder the other way round",
    )
    activation: Literal["silu", "relu"] = Field(default="silu", description="`silu`, `relu`")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        default=0.0, description="the share of channels that a training step leaves out, after each activation"
    )

    def of_image(self, shape: tuple[int, ...], *, decodes: bool) -> Any:
        """The same with what is `auto` chosen for images of this shape.

        Raises:
            VaelabError: for images without height and width, or smaller than the kernel or the strides.
        """
        height, width = height_and_width(self.kind, shape)
        channels = self.channels
        if channels == "auto":
            found = tuple(min(32 * 2**number, WIDEST) for number in range(halvings(height, width)))
            channels = found[::-1] if decodes else found
        if not channels:
            raise VaelabError(
                translated("the network {kind} has one layer or more; found channels = []", kind=self.kind)
            )
        if min(height, width) < 2 ** len(channels):
            raise VaelabError(
                translated(
                    "images of {height} x {width} pixels cannot be halved {count} times, as channels = {channels} of the network {kind} "
                    "asks; give {most} channels at most",
                    height=height,
                    width=width,
                    count=len(channels),
                    channels=list(channels),
                    kind=self.kind,
                    most=min(height, width).bit_length() - 1,
                )
            )
        return self.model_copy(update={"channels": channels})

    def completed(self, image_shape: tuple[int, ...], *, decodes: bool) -> "NetworkSettings":
        return self.of_image(image_shape, decodes=decodes)

    def values_read(self, image_shape: tuple[int, ...]) -> int:
        return KERNEL**2 * (image_shape[2] if len(image_shape) == 3 else 1)


class ConvolutionalSettings(OfMapsSettings):
    part = "vaelab.networks.convolutional:Convolutional"
    kind: Literal["convolutional"] = Field(
        default="convolutional", description="4 x 4 convolutions of stride 2 down, or transposed ones up"
    )
    dense: tuple[PositiveCount, ...] = Field(
        default=(),
        description="widths of dense layers between the smallest map and an encoder's features, or z and a decoder's smallest map",
    )


class ResidualSettings(OfMapsSettings):
    part = "vaelab.networks.residual:Residual"
    kind: Literal["residual"] = Field(
        default="residual",
        description="residual blocks of 3 x 3 convolutions, and squares folded into channels between them",
    )
    blocks: tuple[Annotated[int, Field(ge=0)], ...] | Auto = Field(
        default="auto",
        description="residual blocks at each map of `channels`; `auto`: one where its sides are 32 at most, for larger ones cost the most",
    )
    norm: Literal["group", "none"] = Field(
        default="group", description="`group`: each map's channels are normalised in groups of 8; `none`"
    )

    @model_validator(mode="after")
    def _as_many_blocks_as_channels(self) -> "ResidualSettings":
        if "auto" not in (self.channels, self.blocks) and len(self.channels) != len(self.blocks):
            raise ValueError(
                translated(
                    "blocks has a number for each of channels: expected {expected}; found {found}",
                    expected=len(self.channels),
                    found=len(self.blocks),
                )
            )
        return self

    def of_image(self, shape: tuple[int, ...], *, decodes: bool) -> "ResidualSettings":
        chosen = super().of_image(shape, decodes=decodes)
        if chosen.blocks != "auto":
            return ResidualSettings.model_validate(chosen.model_dump())  # as many as channels
        sides = [max(shape[:2])]
        for _ in chosen.channels:
            sides.append(-(-sides[-1] // 2))
        blocks = tuple(int(side <= LARGEST_WITH_BLOCKS) for side in sides[1:])
        return chosen.model_copy(update={"blocks": blocks[::-1] if decodes else blocks})


def height_and_width(kind: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Of images that a convolution can read.

    Raises:
        VaelabError: for shapes that are no image's, and images smaller than the kernel.
    """
    if len(shape) not in (2, 3):
        raise VaelabError(
            translated(
                "the network {kind} is for images (height, width) or (height, width, channels); found examples of shape {shape}. Use the "
                "network mlp for them",
                kind=kind,
                shape=tuple(shape),
            )
        )
    if min(shape[:2]) < KERNEL:
        raise VaelabError(
            translated(
                "images of {height} x {width} pixels are smaller than the network {kind}'s kernel of {kernel} x {kernel}; use the network "
                "mlp for them",
                height=shape[0],
                width=shape[1],
                kind=kind,
                kernel=KERNEL,
            )
        )
    return shape[0], shape[1]


def halvings(height: int, width: int) -> int:
    """How often an image is halved until its shorter side is 4, or nearest to it by ratio; once at least."""
    found, side = 0, min(height, width)
    while side * side > 2 * SMALLEST_MAP**2 and side // 2 > 0:  # above 4 times the root of 2
        found, side = found + 1, side / 2
    return max(found, 1)


class ConditionedSettings(NetworkSettings):
    """Of a network that is told the label. No configuration names it: `model.condition = "labels"` puts it around its networks."""

    part = "vaelab.networks.conditioned:Conditioned"
    is_named: ClassVar[bool] = False
    kind: Literal["conditioned"] = "conditioned"
    network: Annotated[SerializeAsAny[NetworkSettings], BeforeValidator(NETWORKS.settings)]
    classes: PositiveCount | None = None
