"""The table of the laws knows every kind, and every kind has settings that say the same when they are read again."""

from typing import Any

import pytest

from laws.table import ALL_TABLES
from vaelab.config import Config
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS, Kinds
from vaelab.support import REALS


@pytest.mark.parametrize("name", ALL_TABLES)
def test_every_kind_has_a_row(name: str) -> None:
    kinds, rows = ALL_TABLES[name]
    assert {row["kind"] for row in rows.values()} == set(kinds.rows)


ROWS = [(name, row) for name, (_, rows) in ALL_TABLES.items() for row in rows]


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_settings_written_and_read_again_are_the_same(name: str, row: str) -> None:
    kinds, rows = ALL_TABLES[name]
    settings = kinds.settings(rows[row])
    assert kinds.settings(settings.model_dump(mode="json")) == settings
    assert hash(kinds.settings(settings.model_dump(mode="json"))) == hash(settings)


def _beside(kinds: Kinds, kind: str) -> dict[str, Any]:
    """What a posterior or a prior needs for z to live where both are: the first of the other table that does."""
    domain = getattr(kinds.settings_of(kind), "support", REALS).domain
    if kinds is POSTERIORS and domain != "reals":
        return {
            "model.prior.kind": next(prior for prior in PRIORS.trained_names if domain in _domains(prior)),
            **SIZES.get(kind, {}),
        }
    if kinds is PRIORS and "reals" not in _domains(kind):
        own = next(
            name for name in POSTERIORS.trained_names if POSTERIORS.settings_of(name).support.domain in _domains(kind)
        )
        return {"model.posterior.kind": own, **SIZES.get(own, {})}
    return {}


SIZES: dict[str, dict[str, Any]] = {"fsq": {"model.latent_dim": 64}, "vq": {"model.latent_dim": 64}}
"""Of posteriors whose z has not any size: one that it may have."""


def _domains(prior: str) -> tuple[str, ...]:
    return PRIORS.settings_of(prior).domains


@pytest.mark.parametrize("kinds", [NETWORKS, POSTERIORS, LIKELIHOODS, PRIORS, OBJECTIVES], ids=lambda kinds: kinds.what)
def test_a_configuration_goes_through_every_kind(kinds: Kinds) -> None:
    room = {"network": "model.encoder", "objective": "objective"}.get(kinds.what, f"model.{kinds.what}")
    for kind in kinds.trained_names:
        config = Config().with_values({f"{room}.kind": kind, **_beside(kinds, kind)})
        assert Config.from_toml(config.to_toml(), source="test") == config
        part: Any = config
        for name in room.split("."):
            part = getattr(part, name)
        assert part.kind == kind
