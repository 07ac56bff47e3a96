"""What a score of images is called: three kinds, in different units."""

from vaelab.language import to_translate
from vaelab.likelihoods import BernoulliLikelihood, ContinuousBernoulliLikelihood, GaussianLikelihood
from vaelab.model import Model

LIKELIHOODS = {
    BernoulliLikelihood: "bernoulli",
    ContinuousBernoulliLikelihood: "continuous-bernoulli",
    GaussianLikelihood: "gaussian",
}


def likelihood_name(model: Model) -> str:
    """As the configuration calls it."""
    kind = type(model.decoder)
    return LIKELIHOODS.get(kind, kind.__name__)


def score_name(likelihood: str, *, grey: bool) -> str:
    """What -log p(x) is: of a Bernoulli on binary pixels a probability's, on grey ones no likelihood at all; of others a density's.

    A density has no bound: its negative logarithm may fall below 0, and depends on the scale of the pixels.
    """
    if likelihood != "bernoulli":
        return to_translate("negative log-density")
    return to_translate("grey cross-entropy") if grey else to_translate("NLL")
