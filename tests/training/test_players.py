"""Objectives with several players: whose gradient moves whom, what is shown and kept of them, and that resuming changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from jaxtyping import Array

from conftest import small
from training.adversarial import CRITIC, AdversarialAutoencoder
from vaelab.config import Config
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss, of_the_model
from vaelab.objectives.elbo import Elbo
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.pixels import scaled
from vaelab.runs import Run
from vaelab.tensors import read_tensors, write_tensors
from vaelab.training import InMemory, Outcome, Stopped, TrainingData, TrainingResult, beginning, train
from vaelab.training.beginning import resolve
from vaelab.training.checkpoint import with_players
from vaelab.training.epoch import run_epoch
from vaelab.training.programs import compiled
from vaelab.training.step import step


@pytest.fixture(scope="module")
def prepared(few_digits: Dataset) -> tuple[Config, TrainingData]:
    config = small("tutorial", **{"training.epochs": 3, "training.averaging": 0.9})
    data = TrainingData.from_dataset(few_digits, config.data)
    return resolve(config, data), data


def trained(prepared: tuple[Config, TrainingData], objective: AbstractObjective, **options: Any) -> TrainingResult:
    config, data = prepared
    return train(config, data, begun=beginning.begin(config, data, objective=objective), **options)


def losses_of(objective: AbstractObjective, data: TrainingData, state: Any) -> Any:
    batch = Batch(scaled(jnp.asarray(data.images[:20])), None)
    return lambda players: objective(players, state, batch, jnp.float32(0.5), jr.split(jr.key(2), 20))


def test_each_player_takes_the_gradient_of_its_own_loss(prepared: tuple[Config, TrainingData]):
    """By `jax.grad` of one loss with respect to one player, moved by w - rate * g."""
    config, data = prepared
    objective = AdversarialAutoencoder()
    begun = beginning.begin(config, data, objective=objective)
    state = begun.state()
    loss = losses_of(objective, data, state.objective)

    def of(parameters: dict[str, Any]) -> Loss:
        return loss(begun.trainer.players_of(parameters))

    rates = {MODEL: 0.1, CRITIC: 0.01}
    moved = step(
        lambda players: ((found := of(players)).losses, found.state),
        state.players,
        {name: optax.EmptyState() for name in rates},
        {name: optax.GradientTransformation(lambda params: None, _descend(rate)) for name, rate in rates.items()},
    )
    for name, rate in rates.items():
        gradient = jax.grad(lambda own, name=name: of({**state.players, name: own}).losses[name])(state.players[name])
        assert max(float(jnp.abs(part).max()) for part in jax.tree.leaves(gradient)) > 0.0
        for expected, ours in zip(
            jax.tree.leaves(jax.tree.map(lambda w, g, rate=rate: w - rate * g, state.players[name], gradient)),
            jax.tree.leaves(moved.players[name]),
            strict=True,
        ):
            np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-8)
    assert int(moved.rest["steps"]) == 1
    # the encoder wants the critic mistaken, the critic does not: the one's gradient would be the other's harm
    crossed = jax.grad(lambda own: of({**state.players, CRITIC: own}).losses[MODEL])(state.players[CRITIC])
    assert max(float(jnp.abs(part).max()) for part in jax.tree.leaves(crossed)) > 0.0


def _descend(rate: float) -> Any:
    return lambda updates, state, params=None: (jax.tree.map(lambda g: -rate * g, updates), state)


@pytest.mark.parametrize("objective", [Elbo(), Elbo(3), ImportanceWeighted(3)], ids=["one draw", "three", "weighted"])
def test_one_player_is_value_and_grad_bit_for_bit(objective: AbstractObjective, prepared: tuple[Config, TrainingData]):
    config, data = prepared
    begun = beginning.begin(config, data, objective=objective)
    players = begun.state().players
    loss = losses_of(objective, data, None)

    def of(parameters: Any) -> Array:
        return loss(begun.trainer.players_of({MODEL: parameters})).losses[MODEL]

    keeps = optax.GradientTransformation(lambda params: None, lambda updates, state, params=None: (updates, updates))
    value, gradient = jax.jit(jax.value_and_grad(of))(players[MODEL])
    found = jax.jit(
        lambda players: step(lambda p: ({MODEL: of(p[MODEL])}, None), players, {MODEL: None}, {MODEL: keeps})
    )(players)
    assert found.losses[MODEL] == value
    for ours, expected in zip(jax.tree.leaves(found.optimisers[MODEL]), jax.tree.leaves(gradient), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_both_players_move_and_all_that_is_shown_is_reported(prepared: tuple[Config, TrainingData], tmp_path: Path):
    run = Run.create(tmp_path / "run", prepared[0])
    result = trained(prepared, AdversarialAutoencoder(), run=run)
    reports = run.metrics()
    assert reports == result.history
    assert list(reports[0]) == [
        "epoch", "loss", "reconstruction", "kl", "critic", "beta",
        "val_loss", "val_reconstruction", "val_kl", "val_squared_error", "val_beta", "seconds", "images_per_second",
    ]  # fmt: skip
    for report in reports:
        assert report["loss"] == pytest.approx(report["reconstruction"] + report["kl"], rel=1e-5)
        assert report["val_squared_error"] > report["val_reconstruction"] ** 2  # a mean of squares
    assert abs(reports[0]["critic"] - 2 * np.log(2)) < 0.5  # of one who guesses
    assert reports[-1]["reconstruction"] < reports[0]["reconstruction"]
    arrays, _ = read_tensors(run.checkpoint_file)
    first = named_arrays(beginning.begin(*prepared, objective=AdversarialAutoencoder()).state())
    for name in [name for name in first if name.startswith("players.")]:
        assert (arrays[f"state.{name}"] != first[name]).any(), name
    assert arrays["state.objective.steps"] == 3 * (700 // 50)
    assert np.abs(arrays["state.objective.mean_code"]).max() > 0.0
    # the critic's optimiser is its own: Adam has a first moment, the run's RMSprop none
    assert any(name.startswith("state.optimisers.critic.0.mu.layers.0") for name in arrays)
    assert not any(".mu." in name for name in arrays if name.startswith("state.optimisers.model"))
    assert isinstance(load_model(run), Model)


def test_a_player_has_its_own_learning_rate(prepared: tuple[Config, TrainingData], tmp_path: Path):
    run = Run.create(tmp_path / "run", prepared[0])
    trained(prepared, AdversarialAutoencoder(learning_rate=1e-12), run=run)
    arrays, _ = read_tensors(run.checkpoint_file)
    first = named_arrays(beginning.begin(*prepared, objective=AdversarialAutoencoder()).state())
    for name, array in first.items():
        if name.startswith("players.critic."):
            np.testing.assert_allclose(arrays[f"state.{name}"], array, atol=1e-8)
        elif name.startswith("players.model.") and name.endswith("weight"):
            assert np.abs(arrays[f"state.{name}"] - array).max() > 1e-3, name


def test_resuming_gives_the_same_weights_of_both_players(prepared: tuple[Config, TrainingData], tmp_path: Path):
    whole, stopped = (Run.create(tmp_path / name, prepared[0]) for name in ("whole", "stopped"))
    trained(prepared, AdversarialAutoencoder(), run=whole)
    for _ in range(3):
        stop = Stopped()
        result = trained(
            prepared,
            AdversarialAutoencoder(),
            run=stopped,
            stop=stop,
            on_epoch=lambda report, stop=stop: stop.request(),
        )
    assert result.outcome is Outcome.FINISHED
    assert_same(read_tensors(whole.checkpoint_file)[0], read_tensors(stopped.checkpoint_file)[0])


def assert_same(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_a_checkpoint_of_format_1_is_gone_on_with(prepared: tuple[Config, TrainingData], tmp_path: Path):
    """Its arrays had other names: `state.parameters.`, `state.optimiser.`."""
    config, data = prepared
    whole = train(config, data)
    run = Run.create(tmp_path / "run", config)
    stop = Stopped()
    train(config, data, run=run, stop=stop, on_epoch=lambda report: stop.request())
    arrays, header = read_tensors(run.checkpoint_file)
    old = {
        name.replace("state.players.model.", "state.parameters.").replace(
            "state.optimisers.model.", "state.optimiser."
        ): array
        for name, array in arrays.items()
    }
    assert {name.split(".")[1] for name in old} == {"parameters", "optimiser", "average", "step"}
    assert_same(with_players(old), arrays)
    write_tensors(run.checkpoint_file, old, {**header, "format": "vaelab-checkpoint-1"})
    assert_same(named_arrays(train(config, data, run=run).model), named_arrays(whole.model))


def test_a_checkpoint_of_a_newer_format_is_refused_by_name(prepared: tuple[Config, TrainingData], tmp_path: Path):
    run = Run.create(tmp_path / "run", prepared[0])
    write_tensors(run.checkpoint_file, {"x": np.zeros(1)}, {"format": "vaelab-checkpoint-9"})
    with pytest.raises(VaelabError, match=r"of format 'vaelab-checkpoint-9', this vaelab reads .*Upgrade"):
        trained(prepared, Elbo(), run=run)


class Wrong(AbstractObjective):
    """An objective that is wrong in one way."""

    way: str = eqx.field(static=True)

    def players(self, model: Model, *, key: Any) -> dict[str, eqx.Module]:
        return {MODEL: model} if self.way == "two models" else {CRITIC: eqx.nn.Linear(2, 1, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {
            "of nobody": {"judge": {}},
            "of an unknown key": {CRITIC: {"learning_rat": 0.1}},
            "of an unknown option": {CRITIC: {"optimiser": "adam", "optimiser_options": {"rho": 0.1}}},
        }.get(self.way, {})

    def __call__(self, players: Any, state: Any, batch: Batch, beta: Any, keys: Any) -> Loss:
        found = of_the_model(self.score(players[MODEL], batch, beta, keys))
        if self.way == "no kl":
            return Loss({MODEL: found.losses[MODEL], CRITIC: jnp.float32(0.0)}, {"loss": found.losses[MODEL]})
        if self.way == "a name that is taken":
            return found._replace(shown={**found.shown, "val_critic": jnp.float32(0.0)})
        return found._replace(state=jnp.zeros(2)) if self.way == "a new state" else found


WRONG = {
    "two models": "need other names than 'model'",
    "of nobody": "has an optimiser for judge; its players are critic, model",
    "of an unknown key": "the optimiser of critic: unknown key 'training.learning_rat'; did you mean 'training.learning_rate'",
    "of an unknown option": "adam has no option 'rho'",
    "no loss": "the players are critic, model; found losses of model",
    "no kl": "found no reconstruction, kl",
    "a name that is taken": "shows 'val_critic', which a report of an epoch says of itself",
    "a new state": r"the shapes that `start` gave it, None; found float32\[2\]",
}


@pytest.mark.parametrize("way", WRONG)
def test_an_objective_that_cannot_be_trained_is_refused_in_one_line(way: str, prepared: tuple[Config, TrainingData]):
    with pytest.raises(VaelabError, match=WRONG[way]) as caught:
        trained(prepared, Wrong(way))
    assert "\n" not in str(caught.value)


class Exploding(AbstractObjective):
    """A second player whose loss is finite until it has moved far enough; the model does not see it."""

    def players(self, model: Model, *, key: Any) -> dict[str, eqx.Module]:
        return {CRITIC: eqx.nn.Linear(1, 1, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {CRITIC: {"optimiser": "sgd", "learning_rate": 1e30}}

    def __call__(self, players: Any, state: Any, batch: Batch, beta: Any, keys: Any) -> Loss:
        found = of_the_model(self.score(players[MODEL], batch, beta, keys))
        return found._replace(losses={**found.losses, CRITIC: jnp.sum(players[CRITIC].weight ** 2)})


def test_a_player_that_diverges_ends_training(prepared: tuple[Config, TrainingData], tmp_path: Path):
    run = Run.create(tmp_path / "run", prepared[0])
    with pytest.raises(VaelabError, match=r"NaN or infinite at step 2 \(epoch 1\), in its loss of critic"):
        trained(prepared, Exploding(), run=run)
    assert not run.checkpoint_file.exists()


class Streamed(InMemory):
    """The images of an epoch as they come, batch after batch, and not where they lie."""

    def epoch(self, key: Any, batch_size: int) -> Any:
        order = super().epoch(key, batch_size)
        return self.images[order], self.labels[order]

    def batch(self, part: Any) -> Any:
        return part


def test_a_source_of_another_kind_gives_the_same_batches(prepared: tuple[Config, TrainingData]):
    config, data = prepared
    begun = beginning.begin(config, data)
    trainer, state = begun.trainer.plan.place.whole((begun.trainer, begun.state()))
    states = []
    for kind in (InMemory, Streamed):
        given = trainer, state, trainer.plan.place.whole(kind(data.images, data.labels))
        states.append(compiled(run_epoch, *given)(*given)[0])
    ours, theirs = (named_arrays(state) for state in states)
    assert_same(ours, theirs)
