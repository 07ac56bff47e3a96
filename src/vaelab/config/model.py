"""The parts of a model, each of a kind that a table knows."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from vaelab.config.keys import PartOf
from vaelab.kinds import LIKELIHOODS, NETWORKS, POSTERIORS, PRIORS, Kinds
from vaelab.language import translated
from vaelab.settings import (
    Frozen,
    LikelihoodSettings,
    NetworkSettings,
    PositiveCount,
    PosteriorSettings,
    PriorSettings,
)


def _trained_prior(values: Any) -> Any:
    """The settings of a prior that is trained with the model."""
    kind = values.get("kind") if isinstance(values, Mapping) else values
    if isinstance(kind, str) and kind in PRIORS.names and kind not in PRIORS.trained_names:
        raise ValueError(
            translated(
                "'{kind}' is fitted afterwards, with: vaelab fit-prior RUN {kind}; trained with the model are: {names}",
                kind=kind,
                names=", ".join(PRIORS.trained_names),
            )
        )
    return PRIORS.settings(values)


def _named_network(values: Any) -> Any:
    """The settings of a network that a configuration may name."""
    kind = values.get("kind") if isinstance(values, Mapping) else getattr(values, "kind", values)
    if isinstance(kind, str) and kind in NETWORKS.rows and kind not in NETWORKS.trained_names:
        raise ValueError(
            translated(
                "'{kind}' is put around a network by model.condition = 'labels'; name the network itself", kind=kind
            )
        )
    return NETWORKS.settings(values)


AnyNetwork = Annotated[SerializeAsAny[NetworkSettings], BeforeValidator(_named_network), PartOf(NETWORKS)]
AnyPosterior = Annotated[SerializeAsAny[PosteriorSettings], BeforeValidator(POSTERIORS.settings), PartOf(POSTERIORS)]
AnyLikelihood = Annotated[
    SerializeAsAny[LikelihoodSettings], BeforeValidator(LIKELIHOODS.settings), PartOf(LIKELIHOODS)
]
AnyPrior = Annotated[SerializeAsAny[PriorSettings], BeforeValidator(_trained_prior), PartOf(PRIORS)]


def usual(kinds: Kinds) -> Any:
    """The default of a part: the first kind of its table, as it stands."""
    return lambda: kinds.settings(kinds.names[0])


class ModelConfig(Frozen):
    """The four parts. `image_shape` is what the data have; a run's `config.toml` names it."""

    latent_dim: PositiveCount = Field(default=2, description="dimensions of z")
    image_shape: tuple[PositiveCount, ...] | None = Field(default=None, description="written by training")
    encoder: AnyNetwork = Field(default_factory=usual(NETWORKS), description="the networks")
    decoder: AnyNetwork = Field(default_factory=usual(NETWORKS), description="the networks")
    posterior: AnyPosterior = Field(default_factory=usual(POSTERIORS))
    likelihood: AnyLikelihood = Field(default_factory=usual(LIKELIHOODS))
    prior: AnyPrior = Field(default_factory=usual(PRIORS))
    condition: Literal["none", "labels"] = Field(
        default="none",
        description="what encoder, decoder and prior see beside their input: `none`; `labels`, each image's own",
    )
    classes: PositiveCount | None = Field(
        default=None, description="how many labels, where `condition` is `labels`; written by training"
    )
    output_bias: Literal["auto", "zeros", "data-mean"] = Field(
        default="auto", description="where the decoder's last layer begins: `zeros`, `data-mean`; `auto`: by the data"
    )

    @property
    def is_conditional(self) -> bool:
        """Whether encoder, decoder and prior see labels."""
        return self.condition != "none"
