"""Write docs/combinations.md: which kinds of parts go together, as the configuration itself says.

python -m scripts.write_combinations_page
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS, Kinds
from vaelab.settings import PosteriorSettings, PriorSettings

PAGE = Path(__file__).parents[1] / "docs" / "combinations.md"

PARTS: dict[str, tuple[Kinds, tuple[str, ...]]] = {
    "network": (NETWORKS, ("model.encoder.kind", "model.decoder.kind")),
    "posterior": (POSTERIORS, ("model.posterior.kind",)),
    "likelihood": (LIKELIHOODS, ("model.likelihood.kind",)),
    "prior": (PRIORS, ("model.prior.kind",)),
    "objective": (OBJECTIVES, ("objective.kind",)),
}
"""Each part with its table and its keys."""

INTRODUCTION = """\
# What goes together

A model is a network, a posterior, a likelihood, a prior and an objective, and every pair of their kinds is tried here, all else being as it
is by default (beside a posterior on a sphere or of codes, a prior that lives there). A dot is a pair that trains: each of them is traced
through a whole step, with its gradients, by `tests/objectives/test_combinations.py`. A number is a pair that is refused when the
configuration is read; the sentence of that number is what is said, with the nearest that works. Images decide a little more: a
`convolutional` or `residual` network and `ms-ssim` need height and width, the `class` prior labels, and some likelihoods pixels in a range.

A named model is such a combination: `vaelab recipes` lists them. This page is made by `python -m scripts.write_combinations_page`.
"""


def changes(kinds: dict[str, str]) -> dict[str, Any]:
    """The keys that name these kinds of parts."""
    return {key: kind for part, kind in kinds.items() for key in PARTS[part][1]}


def config_of(kinds: dict[str, str]) -> Config:
    """The configuration of these kinds and of defaults; z lives where a posterior or a prior that is named has it.

    Raises:
        VaelabError: where they cannot be together.
    """
    return Config().with_values(changes(at_home(kinds)) | size_of(kinds), source="")


def at_home(kinds: dict[str, str]) -> dict[str, str]:
    """With a prior for a posterior that is named alone, or a posterior for such a prior: the first that has z where it is."""
    if "posterior" in kinds and "prior" not in kinds:
        domain = posterior(kinds["posterior"]).support.domain
        return kinds | {"prior": next(kind for kind in own_kinds("prior") if domain in prior(kind).domains)}
    if "prior" in kinds and "posterior" not in kinds:
        domains = prior(kinds["prior"]).domains
        fitting = (kind for kind in own_kinds("posterior") if posterior(kind).support.domain in domains)
        return kinds | {"posterior": next(fitting)}
    return kinds


def size_of(kinds: dict[str, str]) -> dict[str, int]:
    """The fewest latent dimensions, from two on, that the posterior can have."""
    chosen = posterior(at_home(kinds).get("posterior", POSTERIORS.names[0]))
    return {"model.latent_dim": next(size for size in range(2, 100) if chosen.why_not(size) is None)}


def posterior(kind: str) -> PosteriorSettings:
    found = POSTERIORS.settings(kind)
    assert isinstance(found, PosteriorSettings)
    return found


def prior(kind: str) -> PriorSettings:
    found = PRIORS.settings(kind)
    assert isinstance(found, PriorSettings)
    return found


def own_kinds(part: str) -> list[str]:
    """The kinds of a part that a configuration may name and that come with vaelab."""
    table = PARTS[part][0]
    return [kind for kind in table.trained_names if kind in table.rows]


def pairs() -> Iterator[dict[str, str]]:
    """Each pair of kinds of two parts."""
    for first, second in combinations(PARTS, 2):
        for a in own_kinds(first):
            for b in own_kinds(second):
                yield {first: a, second: b}


def refusal(kinds: dict[str, str]) -> str | None:
    """What is said of kinds that cannot be together; None of those that can."""
    try:
        config_of(kinds)
    except VaelabError as error:
        return str(error).removeprefix(": ").removeprefix("objective: ")
    return None


def page() -> str:
    """The whole page."""
    parts, reasons = [INTRODUCTION], {}
    for first, second in combinations(PARTS, 2):
        # the longer list goes down
        rows, columns = sorted((first, second), key=lambda part: -len(own_kinds(part)))
        parts.append(f"\n## {first.capitalize()} and {second}\n")
        head = [f"`{kind}`" for kind in own_kinds(columns)]
        lines = [f"| {rows} | {' | '.join(head)} |", f"| --- |{' --- |' * len(head)}"]
        for row in own_kinds(rows):
            cells = []
            for column in own_kinds(columns):
                found = refusal({rows: row, columns: column})
                cells.append("·" if found is None else str(reasons.setdefault(found, len(reasons) + 1)))
            lines.append(f"| `{row}` | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    parts.append("\n## Why\n")
    parts.append("\n".join(f"{number}. {reason}" for reason, number in reasons.items()))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: written")
