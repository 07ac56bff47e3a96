"""The kinds of fitted priors, and what one is called unless its user says otherwise."""

from collections.abc import Callable
from typing import Any

from vaelab.errors import VaelabError
from vaelab.kinds import PRIORS, found_at
from vaelab.language import translated
from vaelab.nearest import nearest_name
from vaelab.settings import PriorSettings
from vaelab.support import Domain


def kinds() -> tuple[str, ...]:
    """Every kind of prior that can be fitted to codes."""
    return tuple(kind for kind in PRIORS.names if _settings(kind).fit is not None)


def check_kind(kind: str) -> None:
    """Refuse what is no kind of fitted prior.

    Raises:
        VaelabError: with the nearest.
    """
    if kind not in kinds():
        raise VaelabError(
            translated(
                "unknown kind of prior '{kind}'; {nearest_name}", kind=kind, nearest_name=nearest_name(kind, kinds())
            )
        )


def check_domain(kind: str, domain: Domain) -> None:
    """Refuse a kind that has no density where z lives.

    Raises:
        VaelabError: naming those that have.
    """
    if domain not in _settings(kind).domains:
        able = [other for other in kinds() if domain in _settings(other).domains]
        raise VaelabError(
            translated(
                "z of this model lives in: {domain}; a {kind} prior has no density there. Those that can be fitted to it: {kinds}",
                domain=domain,
                kind=kind,
                kinds=", ".join(able) or translated("none, and the prior that it was trained with is the one to use"),
            )
        )


def fit_of(kind: str) -> Callable[..., Any]:
    """The function that fits one to draws: `(draws, *, seed, ...) -> Fit`."""
    place = _settings(kind).fit
    assert place is not None
    return found_at(place)


def default_name(kind: str, *, by_class: bool, latent_dim: int) -> str:
    """The kind; `-by-class` where it is that; `-bound` where its log-density is only a bound: a second stage beyond two dimensions."""
    exact_up_to = _settings(kind).exact_up_to
    bound = exact_up_to is not None and latent_dim > exact_up_to
    return kind + ("-by-class" if by_class else "") + ("-bound" if bound else "")


def _settings(kind: str) -> type[PriorSettings]:
    found = PRIORS.settings_of(kind)
    assert issubclass(found, PriorSettings)
    return found
