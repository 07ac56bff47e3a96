"""The table of the laws knows every kind, and every kind has settings that say the same when they are read again."""

from typing import Any

import pytest

from laws.table import ALL_TABLES
from vaelab.config import Config
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS, Kinds


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


@pytest.mark.parametrize("kinds", [NETWORKS, POSTERIORS, LIKELIHOODS, PRIORS, OBJECTIVES], ids=lambda kinds: kinds.what)
def test_a_configuration_goes_through_every_kind(kinds: Kinds) -> None:
    room = {"network": "model.encoder", "objective": "objective"}.get(kinds.what, f"model.{kinds.what}")
    for kind in kinds.trained_names:
        config = Config().with_values({f"{room}.kind": kind})
        assert Config.from_toml(config.to_toml(), source="test") == config
        part: Any = config
        for name in room.split("."):
            part = getattr(part, name)
        assert part.kind == kind
