"""Which parts go together: what cannot be is refused when a configuration is read, with the reason and the nearest that works.

Nothing here knows a kind by its name: posteriors, priors and objectives say in their settings what they offer and what they ask for.
"""

from vaelab.config.model import ModelConfig
from vaelab.kinds import OBJECTIVES, POSTERIORS, PRIORS
from vaelab.language import translated
from vaelab.settings import ObjectiveSettings, PriorSettings
from vaelab.support import Domain


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
    own = _of_the_model(model)
    if own is not None:
        return own
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


def _of_the_model(model: ModelConfig) -> str | None:
    """Where z lives, and what of a prior can be asked of a posterior there."""
    posterior, prior, domain = model.posterior, model.prior, model.posterior.support.domain
    reason = posterior.why_not(model.latent_dim)
    if reason is not None:
        return translated("model.latent_dim of a {kind} posterior: {reason}", kind=posterior.kind, reason=reason)
    if domain not in prior.domains:
        return translated(
            "z of a {kind} posterior lives in: {domain}, where a {prior} prior has no density; use model.prior.kind = '{names}'",
            kind=posterior.kind,
            domain=domain,
            prior=prior.kind,
            names=_priors_in(domain),
        )
    if domain == "codes" and model.is_conditional:
        return translated(
            "a {kind} posterior has no prior over codes for each label; leave model.condition out, or choose a gaussian posterior",
            kind=posterior.kind,
        )
    if prior.scores_posteriors and not posterior.quick_elsewhere:
        return translated(
            "a {prior} prior asks log q(z|u) of every pseudo-input at every draw, and a {kind} posterior needs a pass for each "
            "dimension for one; use model.posterior.kind = 'full-gaussian', or another prior",
            prior=prior.kind,
            kind=posterior.kind,
        )
    return None


def _priors_in(domain: Domain) -> str:
    """The kinds that have a density there, the plainest first."""
    kinds = [
        settings for settings in map(PRIORS.settings_of, PRIORS.trained_names) if issubclass(settings, PriorSettings)
    ]
    found = sorted((kind for kind in kinds if domain in kind.domains), key=lambda kind: len(kind.domains))
    return "' or '".join(str(kind.model_fields["kind"].default) for kind in found)
