"""The settings of the families of q(z|x) and p(x|z)."""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from vaelab.language import translated
from vaelab.settings import LikelihoodSettings, PositiveCount, PositiveNumber, PosteriorSettings, rounded
from vaelab.support import BINARY, CODES, LEVELS, SPHERE, UNIT_INTERVAL, Support

# --- q(z|x) -------------------------------------------------------------------------------------------------------------------------


class GaussianPosteriorSettings(PosteriorSettings):
    part = "vaelab.families.diagonal_gaussian:DiagonalGaussian"
    factorises: ClassVar[bool] = True
    kind: Literal["gaussian"] = Field(default="gaussian", description="diagonal")


class FullGaussianPosteriorSettings(PosteriorSettings):
    part = "vaelab.families.full_gaussian:FullGaussian"
    kind: Literal["full-gaussian"] = Field(default="full-gaussian", description="of any covariance")


class InverseAutoregressiveSettings(PosteriorSettings):
    part = "vaelab.families.inverse_autoregressive:InverseAutoregressive"
    quick_elsewhere: ClassVar[bool] = False
    kind: Literal["inverse-autoregressive"] = Field(
        default="inverse-autoregressive", description="a Gaussian through gated steps, each entry by those before it"
    )
    steps: PositiveCount = Field(default=4, description="how many, the order of the entries turned round after each")
    width: PositiveCount = Field(default=128, description="of the one hidden layer of each step's network")
    context: PositiveCount = Field(default=64, description="numbers of an image that every step sees")


class PlanarSettings(PosteriorSettings):
    part = "vaelab.families.planar:Planar"
    kind: Literal["planar"] = Field(default="planar", description="a Gaussian through steps along one direction each")
    steps: PositiveCount = Field(default=8, description="how many")


class SylvesterSettings(PosteriorSettings):
    part = "vaelab.families.sylvester:Sylvester"
    quick_elsewhere: ClassVar[bool] = False
    kind: Literal["sylvester"] = Field(default="sylvester", description="planar steps along all directions at once")
    steps: PositiveCount = Field(default=4, description="how many")
    reflections: PositiveCount = Field(default=8, description="Householder reflections of each step's rotation")


class VonMisesFisherSettings(PosteriorSettings):
    part = "vaelab.families.von_mises_fisher:VonMisesFisherFamily"
    support: ClassVar[Support] = SPHERE
    kind: Literal["von-mises-fisher"] = Field(
        default="von-mises-fisher",
        description="on the unit sphere of `latent_dim` numbers, beside a `uniform-sphere` prior",
    )

    def why_not(self, latent_dim: int) -> str | None:
        if latent_dim >= 2:
            return None
        return translated(
            "on a sphere z has one number more than the sphere has dimensions, so 2 at least, for a circle; found {latent_dim}. "
            "S^10 has model.latent_dim = 11",
            latent_dim=latent_dim,
        )


class CodesSettings(PosteriorSettings):
    """Of a z that is a map of positions, each a code of some numbers."""

    support: ClassVar[Support] = CODES
    quick_elsewhere: ClassVar[bool] = False
    scores_any: ClassVar[bool] = False  # a mass has no gradient by z

    @property
    @abstractmethod
    def of_position(self) -> int:
        """Numbers of a position."""

    def why_not(self, latent_dim: int) -> str | None:
        each = self.of_position
        if latent_dim % each == 0:
            return None
        return translated(
            "a position has {each} numbers, so it is a multiple of that; found {latent_dim}. {square} makes a map of 4 x 4 positions",
            each=each,
            latent_dim=latent_dim,
            square=16 * each,
        )


class FiniteScalarsSettings(CodesSettings):
    part = "vaelab.families.finite_scalars:FiniteScalars"
    kind: Literal["fsq"] = Field(
        default="fsq", description="codes by rounding each number, beside a `uniform-codes` prior"
    )
    levels: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        default=(8, 5, 5, 5),
        min_length=1,
        description="of each number of a position; their product is the number of codes",
    )

    @property
    def of_position(self) -> int:
        return len(self.levels)


class VectorCodesSettings(CodesSettings):
    part = "vaelab.families.vector_codes:VectorCodes"
    kind: Literal["vq"] = Field(
        default="vq", description="codes by the nearest learned vector, beside a `uniform-codes` prior"
    )
    codes: Annotated[int, Field(ge=2)] = Field(default=128, description="vectors of a book")
    dim: PositiveCount = Field(default=4, description="numbers of a vector")
    books: PositiveCount = Field(
        default=1, description="of more than one, each is for what those before it leave: residual VQ"
    )
    commitment: Annotated[float, Field(ge=0.0)] = Field(
        default=0.25, description="the weight of the squared distance of the encoder's vectors from their codes"
    )
    normalised: bool = Field(default=True, description="whether vectors, and codes of the first book, have length 1")

    @property
    def of_position(self) -> int:
        return self.dim * self.books


class DeterministicPosteriorSettings(PosteriorSettings):
    part = "vaelab.families.point_mass:PointMass"
    has_density: ClassVar[bool] = False
    kind: Literal["deterministic"] = Field(default="deterministic", description="a plain autoencoder")


# --- p(x|z) -------------------------------------------------------------------------------------------------------------------------


class BernoulliSettings(LikelihoodSettings):
    part = "vaelab.families.bernoulli_pixels:BernoulliPixels"
    support: ClassVar[Support] = BINARY
    kind: Literal["bernoulli"] = "bernoulli"


class ContinuousBernoulliSettings(LikelihoodSettings):
    part = "vaelab.families.continuous_bernoulli_pixels:ContinuousBernoulliPixels"
    support: ClassVar[Support] = UNIT_INTERVAL
    kind: Literal["continuous-bernoulli"] = Field(
        default="continuous-bernoulli", description="the proper one for grey pixels"
    )


class ScaledSettings(LikelihoodSettings):
    """Of a likelihood whose pixels have a scale."""

    of_spread: ClassVar[float] = 1.0
    """The scale of a density whose standard deviation is 1."""

    scale: PositiveNumber | Literal["auto"] = Field(
        default="auto", description="fixed, or where learning begins, in units of the pixels; `auto`: by the data"
    )
    floor: PositiveNumber = Field(default=1e-3, description="a learned scale stays above it")

    @property
    def beginning(self) -> float:
        """The scale that training begins with; 1 where no data have resolved it."""
        return 1.0 if self.scale == "auto" else self.scale

    def completed(self, *, spread: Callable[[], float]) -> "ScaledSettings":
        if self.scale != "auto":
            return self
        return self.model_copy(update={"scale": rounded(max(self.of_spread * spread(), 2.0 * self.floor))})

    @model_validator(mode="after")
    def _starts_above_the_floor(self) -> "ScaledSettings":
        if getattr(self, "learned", True) and self.scale != "auto" and self.scale <= self.floor:
            raise ValueError(
                translated(
                    "a learned scale begins above its floor; found scale {scale} and floor {floor}",
                    scale=self.scale,
                    floor=self.floor,
                )
            )
        return self


class GaussianLikelihoodSettings(ScaledSettings):
    part = "vaelab.families.gaussian_pixels:GaussianPixels"
    kind: Literal["gaussian"] = Field(default="gaussian", description="one scale for all pixels")
    learned: bool | Literal["optimal"] = Field(
        default=False,
        description="`false`: the scale is fixed; `true`: the run's optimiser learns it; `optimal`: it follows the mean squared error",
    )


class LaplaceSettings(ScaledSettings):
    part = "vaelab.families.laplace_pixels:LaplacePixels"
    of_spread: ClassVar[float] = 0.5**0.5
    kind: Literal["laplace"] = Field(default="laplace", description="one scale for all pixels, by absolute errors")
    learned: Literal[False, "optimal"] = Field(
        default="optimal", description="`optimal`: the scale follows the mean absolute error; `false`: it is fixed"
    )


class DiscretisedLogisticSettings(ScaledSettings):
    part = "vaelab.families.logistic_levels:LogisticLevels"
    support: ClassVar[Support] = LEVELS
    of_spread: ClassVar[float] = 3.0**0.5 / math.pi
    kind: Literal["discretised-logistic"] = Field(
        default="discretised-logistic", description="over the 256 levels of a pixel, in bits"
    )
    learned: Literal[False, "optimal", "each"] = Field(
        default="optimal",
        description="`optimal`: one scale for all pixels, at its optimum; `each`: the decoder gives one for each; `false`: it is fixed",
    )


class LogisticMixtureSettings(ScaledSettings):
    part = "vaelab.families.logistic_mixture_levels:LogisticMixtureLevels"
    support: ClassVar[Support] = LEVELS
    of_spread: ClassVar[float] = 3.0**0.5 / math.pi
    kind: Literal["logistic-mixture"] = Field(
        default="logistic-mixture", description="a mixture of discretised logistics for each pixel, in bits"
    )
    components: PositiveCount = Field(default=5, description="logistics of a pixel; its channels share which one it is")


class CategoricalLevelsSettings(ScaledSettings):
    part = "vaelab.families.categorical_levels:CategoricalLevelPixels"
    support: ClassVar[Support] = LEVELS
    kind: Literal["categorical"] = Field(
        default="categorical", description="a probability for each of the 256 levels of a pixel, in bits"
    )
