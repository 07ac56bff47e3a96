"""Training: what it minimises, that it resumes bit for bit, and that devices do not matter."""

import json
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from conftest import small
from vaelab.config import Config
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run
from vaelab.tensors import read_tensors
from vaelab.training import Outcome, Stopped, TrainingData, beginning, train
from vaelab.training.beginning import resolve
from vaelab.training.divergence import bar
from vaelab.training.optimisers import build_optimiser, build_schedule
from vaelab.training.place import Place
from vaelab.training.snapshots import snapshot_epochs
from vaelab.training.warm_up import WarmUp, beta_at, warm_up_of


def begin(config: Config, dataset: Dataset) -> tuple[Config, TrainingData]:
    data = TrainingData.from_dataset(dataset, config.data)
    return resolve(config, data), data


def assert_same_weights(first, second):
    ours, theirs = named_arrays(first), named_arrays(second)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_losses_fall_and_their_parts_add_up(few_digits: Dataset):
    config, data = begin(small("tutorial", **{"training.epochs": 4, "objective.warmup": 0.5}), few_digits)
    history = train(config, data).history
    assert [report["epoch"] for report in history] == [1, 2, 3, 4]
    for report in history:
        assert report["loss"] == pytest.approx(report["reconstruction"] + report["beta"] * report["kl"], rel=1e-5)
        assert report["val_loss"] == pytest.approx(report["val_reconstruction"] + report["val_kl"], rel=1e-5)
        assert report["val_beta"] == 1.0
    assert history[-1]["val_loss"] < history[0]["val_loss"] < 600
    assert history[0]["beta"] < history[1]["beta"] < 1.0
    assert history[-1]["beta"] == pytest.approx(1.0)


def test_one_step_of_rmsprop_is_keras_3s():
    """v = rho v + (1 - rho) g^2; w = w - lr g / sqrt(v + epsilon)."""
    config = small("tutorial").training
    optimiser = build_optimiser(config, 10)
    weights, rate, rho, epsilon = np.array([1.0, -2.0]), 1e-3, 0.9, 1e-7
    velocity = np.zeros(2)
    state, ours = optimiser.init(jnp.asarray(weights, jnp.float32)), jnp.asarray(weights, jnp.float32)
    for gradient in (np.array([0.3, -1e-4]), np.array([2.0, 1e-5])):
        velocity = rho * velocity + (1 - rho) * gradient**2
        weights = weights - rate * gradient / np.sqrt(velocity + epsilon)
        updates, state = optimiser.update(jnp.asarray(gradient, jnp.float32), state, ours)
        ours = optax.apply_updates(ours, updates)
    np.testing.assert_allclose(ours, weights, rtol=1e-6)


def test_a_resumed_run_has_the_weights_of_one_never_stopped(few_digits: Dataset, tmp_path):
    """Stopped after every epoch, with everything on that carries state: averages, best weights, a schedule, a warm-up."""
    settings = {
        "training.epochs": 4,
        "training.averaging": 0.9,
        "training.first_layer_rate": 0.3,
        "training.schedule.kind": "cosine",
        "training.optimiser": "adam",
        "training.optimiser_options": {},
        "objective.warmup": "15 steps",
        "objective.cycles": 2,
        "data.validation": "held-out",
        "data.pixels": "dynamic",
        "training.keep": "best",
    }
    config, data = begin(small("tutorial", **settings), few_digits)
    whole = train(config, data)
    run = Run.create(tmp_path / "run", config)
    outcomes = []
    for _ in range(4):
        stop = Stopped()
        outcomes.append(
            train(config, data, run=run, stop=stop, on_epoch=lambda report, stop=stop: stop.request()).outcome
        )
    assert outcomes == [Outcome.INTERRUPTED] * 3 + [Outcome.FINISHED]
    assert_same_weights(load_model(run), whole.model)
    without_time = [
        {k: v for k, v in report.items() if k not in ("seconds", "images_per_second")} for report in run.metrics()
    ]
    expected = [
        {k: v for k, v in report.items() if k not in ("seconds", "images_per_second")} for report in whole.history
    ]
    assert without_time == expected


def test_one_device_and_two_give_the_same_losses(few_digits: Dataset):
    config, data = begin(small("tutorial"), few_digits)
    assert Place.sharing(50).devices == 2 == len(jax.devices())
    two = train(config, data).history
    one = json.loads(
        subprocess.run(
            [sys.executable, "-c", ONE_DEVICE, config.model_dump_json()],
            input=np.concatenate([data.images.ravel(), data.validation_images.ravel()]).tobytes(),
            capture_output=True,
            check=True,
            env={"JAX_NUM_CPU_DEVICES": "1", "PATH": "", "JAX_PLATFORMS": "cpu"},
        ).stdout
    )
    for ours, theirs in zip(two, one, strict=True):
        for term in ("loss", "reconstruction", "kl", "val_loss"):
            assert ours[term] == pytest.approx(theirs[term], rel=1e-6)


ONE_DEVICE = """
import json, sys
import jax, numpy as np
from vaelab.config import Config
from vaelab.training import TrainingData, train
assert len(jax.devices()) == 1
images = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, 28, 28)
history = train(Config.model_validate_json(sys.argv[1]), TrainingData(images[:-200], None, images[-200:], None)).history
print(json.dumps(history))
"""


def test_an_odd_batch_uses_the_devices_that_share_it_evenly():
    assert Place.sharing(7).devices == 1
    assert Place.sharing(8).devices == 2


def test_the_best_weights_are_kept_and_patience_ends_training(few_digits: Dataset):
    """A learning rate that makes the loss rise after a while: the kept weights are those of the lowest val_loss."""
    settings = {
        "training.epochs": 30,
        "training.keep": "best",
        "training.patience": 2,
        "data.validation": "held-out",
        "training.learning_rate": 0.3,
    }
    config, data = begin(small("tutorial", **settings), few_digits)
    result = train(config, data)
    losses = [report["val_loss"] for report in result.history]
    assert result.outcome is Outcome.STOPPED_EARLY
    assert result.kept_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == result.kept_epoch + 2


def test_nothing_is_selected_during_the_warm_up(few_digits: Dataset):
    settings = {
        "training.epochs": 4,
        "training.keep": "best",
        "data.validation": "held-out",
        "objective.warmup": 0.75,
        "training.learning_rate": 1e-9,
    }
    config, data = begin(small("tutorial", **settings), few_digits)
    assert train(config, data).kept_epoch == 4


def test_a_loss_that_becomes_nan_stops_with_step_and_term(few_digits: Dataset, tmp_path):
    settings = {
        "training.learning_rate": 1e6,
        "training.optimiser": "sgd",
        "training.optimiser_options": {},
        "training.epochs": 3,
    }
    config, data = begin(small("tutorial", **settings), few_digits)
    run = Run.create(tmp_path / "run", config)
    with pytest.raises(
        VaelabError, match=r"NaN or infinite at step \d+ \(epoch 1\), in its (kl|reconstruction).*learning rate"
    ):
        train(config, data, run=run)
    assert run.metrics() == []


def diverging(**more: object) -> dict[str, object]:
    return {"training.optimiser": "sgd", "training.learning_rate": 1e38, "training.epochs": 1, **more}


@pytest.mark.parametrize("validation", ["test", "held-out", "none"])
@pytest.mark.parametrize("posterior", ["gaussian", "deterministic"])
@pytest.mark.parametrize("averaging", [None, 0.9])
def test_weights_of_no_use_are_not_kept(validation, posterior, averaging, few_digits: Dataset, tmp_path):
    """One step, so that no loss is of the weights it leaves: they, or the codes that they give, are infinite."""
    settings = diverging(**{
        "data.validation": validation, "model.posterior.kind": posterior, "training.averaging": averaging,
        "training.batch_size": 600, "training.keep": "best" if validation == "held-out" else "last",
    })  # fmt: skip
    config, data = begin(small("tutorial", **settings), few_digits)
    run = Run.create(tmp_path / "run", config)
    with pytest.raises(
        VaelabError, match=r"training diverged: .* NaN or infinite at step 1 .*holds no weights"
    ) as caught:
        train(config, data, run=run)
    assert "are kept" not in str(caught.value)
    assert not run.model_file.exists()
    assert not run.checkpoint_file.exists()
    with pytest.raises(VaelabError, match="training diverged"):
        train(config, data)


def test_the_weights_before_a_divergence_are_kept_and_of_use(few_digits: Dataset, tmp_path):
    """A rate that rises from nothing to far too much: some epochs are well, and the last of them is in the folder."""
    settings = {"training.epochs": 12, "training.optimiser": "sgd", "training.learning_rate": 0.3,
                "training.schedule.kind": "cosine", "training.schedule.rise": 1.0}  # fmt: skip
    config, data = begin(small("tutorial", **settings), few_digits)
    run = Run.create(tmp_path / "run", config)
    with pytest.raises(VaelabError, match=r"weights after epoch \d+, before it, are kept") as caught:
        train(config, data, run=run)
    kept = int(str(caught.value).split("weights after epoch ")[1].split(",")[0])
    facts = read_tensors(run.model_file)[1]["facts"]
    assert (facts["epochs"], facts["outcome"]) == (kept, "diverged")
    assert all(np.isfinite(array).all() for array in named_arrays(load_model(run)).values())
    shorter = train(config, data, run=Run.create(tmp_path / "again", config), stop=(stop := Stopped()),
                    on_epoch=lambda report: stop.request() if report["epoch"] == kept else None)  # fmt: skip
    assert_same_weights(load_model(run), shorter.model)


def test_finite_but_absurd_losses_are_a_divergence(few_digits: Dataset, tmp_path):
    """RMSprop's steps do not shrink: at a rate of 30 nothing overflows, and the loss is worse than the mean image's."""
    config, data = begin(small("tutorial", **{"training.learning_rate": 30.0, "training.epochs": 12}), few_digits)
    run = Run.create(tmp_path / "run", config)
    with pytest.raises(
        VaelabError, match=r"diverged: after epoch (\d+) the loss is .* mean image alone, .* costs 2\d\d\."
    ) as caught:
        train(config, data, run=run)
    assert "after epoch 10 " in str(caught.value)  # ten in a row are enough
    assert not run.model_file.exists()


def test_the_bar_is_the_cost_of_the_mean_image(few_digits: Dataset):
    config, data = begin(small("tutorial"), few_digits)
    pixels = data.images.reshape(len(data.images), -1) / 255
    mean = np.clip(pixels.mean(axis=0), 1e-3, 1 - 1e-3)
    expected = -(pixels * np.log(mean) + (1 - pixels) * np.log(1 - mean)).sum(axis=1).mean()
    found = bar(beginning.begin(config, data).model, data.images, "grey")
    assert found.mean_image == pytest.approx(expected, rel=1e-5)
    # about one half in every pixel, whatever z is: of draws of z, so not quite
    assert found.untrained == pytest.approx(784 * np.log(2), rel=1e-2)


def test_a_training_that_hardly_moves_is_no_divergence(few_digits: Dataset):
    config, data = begin(small("tutorial", **{"training.learning_rate": 1e-12, "training.epochs": 12}), few_digits)
    assert train(config, data).kept_epoch == 12


def test_a_batch_is_at_most_all_images(few_digits: Dataset):
    data = TrainingData(few_digits.train.images[:10], None)
    asked = small("tutorial", **{"data.validation": "none"})
    config = resolve(asked, data)
    assert config.training.batch_size == 10
    assert list(beginning.said_of(asked, config)) == [
        "batches of 50 are more than the 10 training images: each step takes all of them"
    ]
    assert len(train(config, data).history) == 2


REFUSED = {
    "an unknown optimiser": ({"training.optimiser": "adm"}, "did you mean 'adam'"),
    "an option it has not": ({"training.optimiser_options.rho": 0.9}, "rmsprop has no option 'rho'"),
    "an option that is no number": ({"training.optimiser": "adam", "training.optimiser_options.mu_dtype": 0.5},
                                    "adam cannot be built with mu_dtype = 0.5"),
    "a warm-up longer than training": ({"objective.warmup": "30 steps"}, "is 30 steps, longer than training's 28"),
    "a warm-up longer than a cycle": ({"objective.warmup": "1 epoch", "objective.cycles": 4}, "of each of 4 cycles"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_begin_is_refused_before_there_is_a_folder(name: str, few_digits: Dataset):
    changes, words = REFUSED[name]
    config, data = begin(small("tutorial", **changes), few_digits)
    with pytest.raises(VaelabError, match=words):
        beginning.begin(config, data)


def test_averaged_weights_are_the_moving_average(few_digits: Dataset):
    config, data = begin(small("tutorial", **{"training.averaging": 0.99, "training.epochs": 1}), few_digits)
    averaged = train(config, data).model
    last = train(config.with_values({"training.averaging": None}), data).model
    first = train(config.with_values({"training.averaging": None, "training.learning_rate": 1e-12}), data).model
    ours, end, start = (named_arrays(model)["decoder.heads.logits.weight"] for model in (averaged, last, first))
    assert 0 < np.abs(ours - end).mean() < np.abs(start - end).mean()


def test_every_trainable_array_moves_and_nothing_else(few_digits: Dataset):
    settings = {"model.likelihood.kind": "gaussian", "model.likelihood.learned": True, "training.epochs": 1}
    config, data = begin(small("tutorial", **settings), few_digits)
    from vaelab.training.beginning import initial_model

    before, after = named_arrays(initial_model(config, data)), named_arrays(train(config, data).model)
    assert {name for name in before if (before[name] != after[name]).any()} == set(before)


def test_a_data_mean_bias_begins_at_the_mean_image(few_digits: Dataset):
    from vaelab.training.beginning import initial_model

    config, data = begin(small("tutorial", **{"model.output_bias": "data-mean"}), few_digits)
    model = initial_model(config, data)
    begun = jax.nn.sigmoid(model.decoder.heads["logits"].bias)
    expected = np.clip(data.images.reshape(len(data.images), -1).mean(axis=0) / 255, 1e-3, 1 - 1e-3)
    np.testing.assert_allclose(begun, expected, rtol=1e-4)


SCHEDULES = {
    "constant": ({"kind": "constant"}, [1.0, 1.0, 1.0]),
    "cosine": ({"kind": "cosine", "final": 0.1}, [1.0, 0.55, 0.1]),
    "cosine that rises": ({"kind": "cosine", "rise": 0.5}, [0.0, 1.0, 0.0]),
    "linear": ({"kind": "linear", "hold": 0.5}, [1.0, 1.0, 0.0]),
    "exponential": ({"kind": "exponential", "final": 0.01}, [1.0, 0.1, 0.01]),
    "steps": ({"kind": "steps", "at": [0.25, 0.75], "factor": 0.1}, [1.0, 0.1, 0.01]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_by_name(name: str):
    values, expected = SCHEDULES[name]
    changes = {f"training.schedule.{key}": value for key, value in values.items()}
    schedule = build_schedule(Config().with_values(changes).training.schedule, 1.0, 1000)
    found = [schedule(step) if callable(schedule) else schedule for step in (0, 500, 1000)]
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("warmup", "cycles", "expected"),
    [
        (0.25, 1, (25, 100, 25)),
        ("5 epochs", 1, (50, 100, 50)),
        ("30 steps", 1, (30, 100, 30)),
        (0.5, 4, (12, 25, 87)),
        ("1 epoch", 4, (10, 25, 85)),
    ],
)
def test_a_warm_up_is_a_share_epochs_or_steps(warmup, cycles, expected):
    changes = {"training.epochs": 10, "objective.warmup": warmup, "objective.cycles": cycles}
    found = warm_up_of(small("tutorial", **changes), 10)
    assert (found.rise, found.period, found.ends) == expected


def test_beta_rises_in_cycles():
    """Fu et al. 2019, eqs. 6 and 7, with M = 4 cycles of T = 40 steps and R = 0.5."""
    found = [float(beta_at(jnp.int32(step), 1.0, WarmUp(5, 10, 4))) for step in range(40)]
    np.testing.assert_allclose(found, np.tile([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1], 4), rtol=1e-6)


def test_a_warm_up_in_epochs_is_that_share(few_digits: Dataset):
    """And nothing is selected before the last of its cycles is up."""
    changes = {"training.epochs": 4, "data.validation": "held-out", "training.keep": "best"}
    histories = []
    for warmup, cycles in ((0.5, 1), ("2 epochs", 1), ("1 epoch", 2), (0.5, 2)):
        settings = changes | {"objective.warmup": warmup, "objective.cycles": cycles}
        config, data = begin(small("tutorial", **settings), few_digits)
        result = train(config, data)
        assert result.kept_epoch > (2 if cycles == 1 else 3)
        histories.append([report["loss"] for report in result.history])
    assert histories[0] == histories[1] != histories[2] == histories[3]


def test_beta_rises_linearly():
    found = [float(beta_at(jnp.int32(step), 4.0, WarmUp(100, 1000, 1))) for step in (0, 25, 100, 200)]
    assert found == [0.0, 1.0, 4.0, 4.0]


def test_unknown_optimisers_and_options_name_the_nearest():
    with pytest.raises(VaelabError, match="unknown optimiser 'adm'; did you mean 'adam'"):
        build_optimiser(small("tutorial", **{"training.optimiser": "adm"}).training, 10)
    with pytest.raises(VaelabError, match="rmsprop has no option 'rho'"):
        build_optimiser(small("tutorial", **{"training.optimiser_options": {"rho": 0.9}}).training, 10)


def test_bad_data_are_refused_before_training(few_digits: Dataset):
    images = few_digits.train.images.astype(np.float32)
    with pytest.raises(
        VaelabError, match=r"must lie in \[0, 1\] for a bernoulli likelihood; found values from 0 to 255"
    ):
        resolve(small("tutorial"), TrainingData(images, None))
    holed = images / 255
    holed[3, 0, 0] = np.nan
    with pytest.raises(VaelabError, match="found NaN or infinity in 1 of 600"):
        resolve(small("tutorial"), TrainingData(holed, None))
    with pytest.raises(VaelabError, match=r"have shape \(28, 28\); the model asks for \(8, 8\)"):
        resolve(small("tutorial", **{"model.image_shape": [8, 8]}), TrainingData(few_digits.train.images, None))
    static = small("tutorial", **{"data.static_file": "x.npz", "data.pixels": "static"})
    with pytest.raises(VaelabError, match="binarised once; these have grey values"):
        resolve(static, TrainingData(few_digits.train.images, None))
    gaussian = small("tutorial", **{"model.likelihood.kind": "gaussian"})
    assert resolve(gaussian, TrainingData(images, None)).model.image_shape == (28, 28)


def test_the_importance_weighted_bound_is_tighter(few_digits: Dataset):
    """log p >= L_50 >= L_1 (Burda et al. 2016, theorem 1): on one model, the same images."""
    from vaelab.objectives.base import Batch
    from vaelab.objectives.elbo import Elbo
    from vaelab.objectives.importance_weighted import ImportanceWeighted
    from vaelab.pixels import scaled
    from vaelab.training.beginning import initial_model

    config, data = begin(small("tutorial"), few_digits)
    model = initial_model(config, data)
    model = eqx.tree_at(
        lambda model: model.encoder.heads["log_variance"].bias, model, replace_fn=lambda bias: bias + 1.0
    )
    batch = Batch(scaled(jnp.asarray(data.images[:100])), None)
    beta = jnp.float32(1.0)
    one, fifty = (
        eqx.filter_jit(objective.score)(model, batch, beta, jr.split(jr.key(0), 100))
        for objective in (Elbo(20), ImportanceWeighted(50))
    )
    assert fifty["loss"].mean() < one["loss"].mean()
    np.testing.assert_allclose(fifty["loss"], fifty["reconstruction"] + fifty["kl"], rtol=1e-5)
    single, elbo = (
        eqx.filter_jit(objective.score)(model, batch, beta, jr.split(jr.key(0), 100))
        for objective in (ImportanceWeighted(1), Elbo(200))
    )
    assert single["loss"].mean() == pytest.approx(float(elbo["loss"].mean()), rel=0.02)


def test_snapshots_are_of_epochs_closer_together_at_the_beginning():
    epochs = snapshot_epochs(1000, 24)
    assert epochs[0] == 0
    assert epochs[-1] == 1000
    assert len(epochs) <= 25
    assert np.all(np.diff(np.diff(epochs)) >= -1)
    assert snapshot_epochs(5, 24) == [0, 1, 2, 3, 4, 5]
    assert snapshot_epochs(5, 0) == []


def test_a_run_keeps_snapshots_in_half_precision(tiny_run: Run):
    from vaelab.tensors import read_tensors

    assert [epoch for epoch, _ in tiny_run.snapshots()] == [0, 1, 2]
    arrays, header = read_tensors(tiny_run.snapshots()[-1][1])
    assert header["epoch"] == 2
    assert arrays["means"].shape == (200, 2)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    final = named_arrays(load_model(tiny_run))
    for name, array in final.items():
        if name.startswith("decoder."):
            np.testing.assert_array_equal(arrays[name], array.astype(np.float16))


def test_a_trainer_is_a_function_of_its_configuration(few_digits: Dataset):
    config, data = begin(small("tutorial"), few_digits)
    first, again = (train(config, data) for _ in range(2))
    assert_same_weights(first.model, again.model)
    other = train(config.with_values({"seed": 1}), data)
    assert other.history[0]["loss"] != first.history[0]["loss"]
    assert beginning.begin(config, data).steps_per_epoch == 14  # of 700 images, 50 a step
