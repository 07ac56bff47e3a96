"""A small table made, stopped, gone on with, and turned into a page."""

import dataclasses
import json
from pathlib import Path
from types import MappingProxyType

import jax.numpy as jnp
import jax.random as jr
import pytest

from vaelab.building import build_model
from vaelab.data import Dataset, load_data
from vaelab.errors import VaelabError
from vaelab.reproduction import rows as rows_module
from vaelab.reproduction.page import PEER, write_page
from vaelab.reproduction.records import add_record, read_records
from vaelab.reproduction.rows import reproduce, row_config
from vaelab.reproduction.tables import TABLES, Row, Table, table_named
from vaelab.reproduction.weights import TrainedRow, keep_weights, kept_weights
from vaelab.training import Stopped, TrainingData
from vaelab.training.beginning import resolve

SMALL = {
    "data.pixels": "dynamic",
    "data.validation": "none",
    "model.encoder.hidden": [8],
    "model.decoder.hidden": [8],
    "training.epochs": 2,
    "training.batch_size": 100,
    "training.snapshots": 0,
}
TABLE = Table(
    "two-dimensions",
    "A small table",
    "For a test.",
    (
        Row(
            "tutorial-normal",
            "tutorial",
            MappingProxyType(SMALL),
            ("kde",),
            2,
            "135.73 [M]",
            "made small",
            "tutorial-normal",
        ),
        Row("autoencoder", "autoencoder", MappingProxyType(SMALL), ("kde",), 1),
    ),
    samples=0,
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, few_digits: Dataset) -> None:
    monkeypatch.setattr(rows_module, "load_data", lambda **source: few_digits)


@pytest.mark.slow
def test_a_stopped_table_goes_on_and_makes_its_page(few: None, tmp_path: Path) -> None:
    results, work, page = tmp_path / "results", tmp_path / "work", tmp_path / "results.md"
    said: list[str] = []
    stop = Stopped()

    def say_and_stop(line: str) -> None:
        said.append(line)
        if ", prior trained" in line:
            stop.request()

    assert not reproduce(TABLE, results=results, work=work, seeds=1, stop=stop, say=say_and_stop)
    assert [(r["row"], r["prior"]) for r in read_records(results, TABLE.name)] == [("tutorial-normal", "trained")]
    assert reproduce(TABLE, results=results, work=work, seeds=1, say=said.append)
    records = read_records(results, TABLE.name)
    assert {(r["row"], r["prior"]) for r in records} == {
        ("tutorial-normal", "trained"),
        ("tutorial-normal", "kde"),
        ("autoencoder", "kde"),
    }
    figures = next(r["figures"] for r in records if r["prior"] == "kde" and r["row"] == "tutorial-normal")
    assert figures["gain_over_normal"]["over"] == "200 test images, paired"
    normal = next(r["figures"] for r in records if r["prior"] == "trained")
    difference = normal["nll_quadrature"]["value"] - figures["nll_quadrature"]["value"]
    assert figures["gain_over_normal"]["value"] == pytest.approx(difference, abs=1e-3)
    # done is done: nothing is trained again
    before = len(said)
    assert reproduce(TABLE, results=results, work=work, seeds=1, say=said.append)
    assert len(said) == before
    # a row that is added later, with another work folder: what its gain is measured against is made again there
    added = Row(
        "tutorial-class", "tutorial", TABLE.rows[0].changes | {"model.prior.kind": "class"}, gain_over="tutorial-normal"
    )
    more = dataclasses.replace(TABLE, rows=(*TABLE.rows, added))
    assert reproduce(more, results=results, work=tmp_path / "other", seeds=1, say=said.append)
    record = next(r for r in read_records(results, TABLE.name) if r["row"] == "tutorial-class")
    assert record["figures"]["gain_over_normal"]["n"] == 200
    assert len(read_records(results, TABLE.name)) == 4
    write_page(results, page)
    text = page.read_text()
    assert "| tutorial-normal | normal, trained |" in text
    assert "| autoencoder | kde, fitted |" in text
    assert "135.73 [M]" in text
    assert "`tutorial-normal`: made small." in text


@pytest.mark.slow
def test_kept_weights_are_measured_again_without_training(few: None, tmp_path: Path) -> None:
    table = dataclasses.replace(TABLE, rows=TABLE.rows[:1], keeps_weights=True)
    results, said = tmp_path / "results", []
    assert reproduce(table, results=results, work=tmp_path / "work", seeds=1, say=lambda _: None)
    before = read_records(results, table.name)
    (results / f"{table.name}.json").unlink()
    assert reproduce(table, results=results, work=tmp_path / "another", seeds=1, say=said.append)
    assert "from the weights in" in said[0]
    for old, new in zip(before, read_records(results, table.name), strict=True):
        assert (new["epochs"], new["training_seconds"]) == (old["epochs"], old["training_seconds"])
        # half precision moves a score a little
        nll = [record["figures"]["nll_quadrature"]["value"] for record in (old, new)]
        assert nll[0] == pytest.approx(nll[1], abs=0.05)


@pytest.mark.slow
def test_a_model_that_sees_labels_is_scored_over_them_and_asked_for_digits(few: None, tmp_path: Path) -> None:
    rows = tuple(
        Row(name, "tutorial", MappingProxyType(SMALL | changes), gain_over="none")
        for name, changes in {"none": {}, "told": {"model.condition": "labels"}}.items()
    )
    table = dataclasses.replace(TABLE, rows=rows, asked=50)
    assert reproduce(table, results=tmp_path / "results", work=tmp_path / "work", seeds=1, say=lambda _: None)
    none, told = (record["figures"] for record in read_records(tmp_path / "results", table.name))
    assert "asked_share" not in none
    assert told["asked_share"]["n"] == 50
    assert told["predicted_share"]["n"] == 200
    gain = none["nll_quadrature"]["value"] - told["nll_quadrature"]["value"]
    assert told["gain_over_normal"]["value"] == pytest.approx(gain, abs=1e-3)
    # log p(x) >= log p(y) + log p(x|y), and of ten labels some are as rare as one in twenty
    assert told["nll_quadrature"]["value"] < told["nll_given"]["value"] + 3.5
    write_page(tmp_path / "results", tmp_path / "results.md")


def test_weights_of_another_configuration_are_left_alone(tmp_path: Path) -> None:
    config = row_config(TABLE.rows[0], 0).with_values({"model.image_shape": [28, 28], "model.prior.kind": "flow"})
    model = build_model(config.model, jr.key(0))
    keep_weights(tmp_path / "w.safetensors", TrainedRow(model, 2, 1.5), config)
    kept = kept_weights(tmp_path / "w.safetensors", config)
    assert kept is not None
    assert (kept.epochs, kept.seconds) == (2, 1.5)
    z = jnp.array([0.3, -1.0])
    before, after = (model.prior.density().log_prob(z) for model in (model, kept.model))
    assert float(before) == pytest.approx(float(after), abs=1e-2)
    assert kept_weights(tmp_path / "w.safetensors", config.with_values({"seed": 1})) is None
    assert kept_weights(tmp_path / "none.safetensors", config) is None


def test_the_weights_in_the_repository_fit_their_rows() -> None:
    """Or `reproduce` would say nothing and train for an hour what lies there."""
    rows = {
        f"{row.name}-{seed}": row_config(row, seed)
        for table in TABLES
        for row in table.rows
        for seed in range(row.seeds)
    }
    files = sorted((Path(__file__).parents[2] / "docs" / "results" / "weights").glob("*.safetensors"))
    assert files
    images = load_data("mnist").train.images[:1000]
    for file in files:
        config = resolve(rows[file.stem], TrainingData(images, None))
        kept = kept_weights(file, config)
        assert kept is not None, file.name
        assert jnp.isfinite(kept.model.decoder(jnp.zeros(config.model.latent_dim)).mean).all()


def test_records_are_replaced_not_doubled(tmp_path: Path) -> None:
    record = {"row": "a", "prior": "trained", "seed": 0, "value": 1}
    add_record(tmp_path, "t", record)
    add_record(tmp_path, "t", record | {"value": 2})
    assert read_records(tmp_path, "t") == [record | {"value": 2}]
    (tmp_path / "t.json").write_text("[1, 2]")
    with pytest.raises(VaelabError, match="expected a list of results"):
        read_records(tmp_path, "t")
    (tmp_path / "t.json").write_text("{")
    with pytest.raises(VaelabError, match="not JSON"):
        read_records(tmp_path, "t")


def test_seeds_are_summarised_by_their_spread(tmp_path: Path) -> None:
    base = {
        "row": "tutorial-normal", "prior": "trained", "trained_prior": "normal", "importance_samples": None, "pixels": "dynamic",
        "split": "60,000 / 0 / 10,000", "epochs": 20, "published": "", "note": "", "training_seconds": 30.0, "cores": 2,
    }  # fmt: skip
    for seed, value in enumerate((150.0, 151.0, 152.0)):
        figure = {"value": value, "standard_error": 0.5, "over": "10,000 test images", "n": 10_000}
        hole = {"value": 0.037, "standard_error": 0.002, "over": "", "n": 10_000}
        add_record(
            tmp_path,
            "two-dimensions",
            {**base, "seed": seed, "figures": {"nll_quadrature": figure, "hole_fraction": hole}},
        )
    write_page(tmp_path, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "151.00 ± 1.00" in text  # standard deviation over three seeds
    assert "3.70 ± 0.00 %" in text


def test_the_page_shows_pythae_beside_ours(tmp_path: Path) -> None:
    shared = {
        "seed": 0, "importance_samples": 5000, "pixels": "dynamic", "split": "50,000 / 0 / 10,000", "epochs": 30, "note": "",
        "training_seconds": 200.0, "cores": 1, "network": "Forty latent dimensions", "text": "784-300-300-40.",
    }  # fmt: skip

    def record(
        order: int, library: str, model: str, sampler: str, nll: float, fitting: float, **figures: float
    ) -> dict:
        values = {"nll_importance": nll, "hole_fraction": 0.02, "frechet_digit_distance": 0.4, **figures}
        found = {name: {"value": v, "standard_error": 0.01, "over": "", "n": 100} for name, v in values.items()}
        named = {"row": f"40-D {library} {model}", "prior": sampler, "library": library, "model": model, "order": order}
        return {**shared, **named, "figures": found, "fitting_seconds": fitting}

    rows = [
        record(5, "vaelab 0.1.0", "normal", "trained", 90.5, 0.0),
        record(1, "pythae 0.1.2", "VAE", "GaussianMixtureSampler", 90.25, 130.0, gain_over_normal=0.5),
    ]
    for row in rows:  # in whatever order they are finished
        add_record(tmp_path, PEER, row)
    write_page(tmp_path, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert "No row is finished" not in text
    figures = ["NLL", "gain over normal", "hole", "Fréchet digit distance"]
    setting = ["seeds", "epochs", "split", "pixels", "K", "training", "fit"]
    assert cells[0] == ["library", "model", "sampler", *figures, *setting]
    shared_cells = ["1", "30", "50,000 / 0 / 10,000", "dynamic", "5,000", "3 min"]
    assert cells[2][:5] == ["pythae 0.1.2", "VAE", "GaussianMixtureSampler", "90.25 ± 0.01", "0.50 ± 0.01"]
    assert cells[2][5:] == ["2.00 ± 1.00 %", "0.400 ± 0.010", *shared_cells, "2 min"]
    assert cells[3][:5] == ["vaelab 0.1.0", "normal", "trained", "90.50 ± 0.01", "–"]
    assert cells[3][5:] == ["2.00 ± 1.00 %", "0.400 ± 0.010", *shared_cells, "–"]
    assert "**Forty latent dimensions.** 784-300-300-40." in text
    add_record(tmp_path, PEER, record(5, "vaelab 0.1.0", "normal", "trained", 90.0, 0.0) | {"seed": 1})
    write_page(tmp_path, tmp_path / "page.md")
    assert "| vaelab 0.1.0 | normal | trained | 90.25 ± 0.35 |" in (tmp_path / "page.md").read_text()


def test_tables_name_configurations_that_exist() -> None:
    from vaelab.config import recipe_names

    for table in TABLES:
        assert len({row.name for row in table.rows}) == len(table.rows)
        for row in table.rows:
            if row.recipe is None or row.recipe in recipe_names():
                config = row_config(row, 3)
                assert config.seed == 3
                assert config.data.pixels == "dynamic"


def test_a_row_is_trained_on_the_split_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def load(**source: object) -> Dataset:
        asked.update(source)
        raise VaelabError("enough")

    monkeypatch.setattr(rows_module, "load_data", load)
    with pytest.raises(VaelabError, match="enough"):
        reproduce(table_named("iwae"), results=tmp_path, work=tmp_path, seeds=1, only="iwae-1")
    assert asked["name_or_path"] == "mnist"
    assert asked["validation_size"] == 400


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(VaelabError, match="unknown table 'two-dimension'; did you mean 'two-dimensions'"):
        table_named("two-dimension")
    with pytest.raises(VaelabError, match=r"no row 'nothing'; its rows: tutorial-normal, autoencoder"):
        reproduce(TABLE, results=tmp_path, work=tmp_path, only="nothing")
    assert json.loads("[]") == read_records(tmp_path, "none")
