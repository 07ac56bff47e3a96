"""Which parts go together: what cannot be is refused when a configuration is read, with the reason and the nearest that works.

Nothing here knows a kind by its name: posteriors, priors and objectives say in their settings what they offer and what they ask for.
"""

from vaelab.config.model import ModelConfig
from vaelab.kinds import OBJECTIVES, POSTERIORS
from vaelab.language import translated
from vaelab.settings import ObjectiveSettings


def refusal(model: ModelConfig, objective: ObjectiveSettings, batch_size: int) -> str | None:
    """Why these parts cannot be trained together, and what can be done instead; None where they can."""
    posterior, prior = model.posterior, model.prior
    if not posterior.has_density and objective.needs_density:
        return translated(
            "a {kind} posterior has no density, which the objective '{objective}' asks for; use model.posterior.kind = '{posterior}', "
            "or objective.kind = '{instead}'",
            kind=posterior.kind,
            objective=objective.kind,
            posterior=POSTERIORS.names[0],
            instead=OBJECTIVES.names[0],
        )
    if not posterior.factorises and objective.needs_factorised:
        return translated(
            "the objective '{objective}' asks for q(z_d|x) of each entry d, which a {kind} posterior does not have; use "
            "model.posterior.kind = '{posterior}', or an objective of whole codes, such as 'factor' or 'mmd'",
            kind=posterior.kind,
            objective=objective.kind,
            posterior=POSTERIORS.names[0],
        )
    if not posterior.has_density and not prior.is_fixed:
        return translated(
            "a {kind} posterior has no KL, so training would never move a prior; leave model.prior out, and fit one "
            "afterwards with: vaelab fit-prior",
            kind=posterior.kind,
        )
    if objective.one_draw and objective.samples > 1:
        return translated(
            "the objective '{objective}' takes one draw of each image; leave objective.samples out (found {samples}), and choose a "
            "larger training.batch_size",
            objective=objective.kind,
            samples=objective.samples,
        )
    if batch_size < objective.least_batch:
        return translated(
            "training.batch_size = {batch_size}: the objective '{objective}' compares the images of a batch, and needs {least} at least",
            batch_size=batch_size,
            objective=objective.kind,
            least=objective.least_batch,
        )
    return objective.refusal(posterior, prior)
