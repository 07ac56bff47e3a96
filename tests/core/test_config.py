"""The configuration: typed, written back whole, and clear about what it does not know."""

import re
from pathlib import Path

import pytest

from vaelab.config import FORMAT, Config, ModelConfig, known_keys, load_config, load_recipe, recipe_names
from vaelab.errors import VaelabError
from vaelab.runs import Run


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_written_and_read_again_is_the_same(name: str):
    config = load_recipe(name)
    assert Config.from_toml(config.to_toml(), source="test") == config
    assert config.recipe == name


def test_the_tutorial_is_the_tutorials():
    config = load_recipe("tutorial")
    assert config.model.encoder.hidden == config.model.decoder.hidden == (256,)
    assert config.model.latent_dim == 2
    training = config.training
    assert (training.epochs, training.batch_size, training.learning_rate, training.optimiser) == (
        20,
        100,
        1e-3,
        "rmsprop",
    )
    assert training.optimiser_options == {"decay": 0.9, "eps": 1e-7}
    assert config.data.validation == "test"
    assert training.keep == "last"
    assert training.patience is None


def test_values_from_the_command_line_are_typed():
    config = Config().with_values(
        {
            "training.learning_rate": "3e-4",
            "model.encoder.hidden": "[300, 300]",
            "model.encoder.activation": "gated",
            "training.clip_norm": "10.0",
            "training.optimiser_options.b2": "0.99",
        }
    )
    assert config.training.learning_rate == 3e-4
    assert config.model.encoder.hidden == (300, 300)
    assert config.model.encoder.activation == "gated"
    assert config.training.clip_norm == 10.0
    assert config.training.optimiser_options == {"b2": 0.99}


def test_another_kind_begins_with_its_own_defaults():
    config = Config().with_values({"model.likelihood.kind": "gaussian", "model.likelihood.scale": 0.5})
    assert config.model.likelihood.model_dump() == {"kind": "gaussian", "scale": 0.5, "learned": False, "floor": 1e-3}
    back = config.with_values({"model.likelihood.kind": "bernoulli"})
    assert back.model.likelihood.model_dump() == {"kind": "bernoulli"}


LINGERING = {
    "an optimiser's options": (
        {"training.optimiser_options.decay": 0.9},
        {"training.optimiser": "adam"},
        lambda config: config.training.optimiser_options == {},
    ),
    "options given with the new name stay": (
        {"training.optimiser_options.decay": 0.9},
        {"training.optimiser_options.b1": 0.8, "training.optimiser": "adam"},
        lambda config: config.training.optimiser_options == {"b1": 0.8},
    ),
    "the same name again changes nothing": (
        {"training.optimiser_options.decay": 0.9},
        {"training.optimiser": "rmsprop"},
        lambda config: config.training.optimiser_options == {"decay": 0.9},
    ),
    "a file of binarised images": (
        {"data.pixels": "static", "data.static_file": "x.npz"},
        {"data.pixels": "grey"},
        lambda config: config.data.static_file is None,
    ),
    "what was read off other data": (
        {"model.image_shape": [28, 28], "model.prior.kind": "class", "model.prior.classes": 10},
        {"data.name": "digits"},
        lambda config: config.model.image_shape is None and config.model.prior.classes is None,
    ),
    "a rate chosen by other data": (
        {"model.image_shape": [64, 64, 3], "training.first_layer_rate": 0.02},
        {"data.name": "digits"},
        lambda config: config.training.first_layer_rate == "auto",
    ),
    "a rate chosen by the user stays": (
        {"training.first_layer_rate": 0.5},
        {"data.name": "digits"},
        lambda config: config.training.first_layer_rate == 0.5,
    ),
    "a shape before the size": (
        {"model.image_shape": [28, 28], "data.name": "pictures"},
        {"data.size": 16},
        lambda config: config.model.image_shape is None,
    ),
    "a schedule's": (
        {"training.schedule.kind": "linear", "training.schedule.hold": 0.3},
        {"training.schedule.kind": "cosine"},
        lambda config: config.training.schedule.rise == 0.0,
    ),
}


@pytest.mark.parametrize("name", LINGERING)
def test_another_name_leaves_no_options_of_the_old_one(name: str):
    before, change, holds = LINGERING[name]
    assert holds(Config().with_values(before).with_values(change))


@pytest.mark.parametrize("recipe", recipe_names())
def test_any_recipe_takes_another_optimiser(recipe: str):
    from vaelab.training.optimisers import OPTIMISERS, build_optimiser

    for optimiser in OPTIMISERS:
        build_optimiser(load_recipe(recipe).with_values({"training.optimiser": optimiser}).training, 10)


BAD_VALUES = {
    "a misspelt key": ({"training.lerning_rate": "1e-3"}, "did you mean 'training.learning_rate'?"),
    "a misspelt room": ({"trainig.epochs": "3"}, "did you mean 'training.epochs'?"),
    "latent_dim 0": ({"model.latent_dim": 0}, "model.latent_dim: Input should be greater than or equal to 1; found 0"),
    "a word for a number": ({"training.epochs": "many"}, "training.epochs: .*valid integer.*found 'many'"),
    "an unknown kind": (
        {"model.likelihood.kind": "poisson"},
        "model.likelihood: unknown likelihood 'poisson'; .*known: bernoulli, ",
    ),
    "a warm-up longer than training": (
        {"objective.warmup": 1.5},
        "objective: warm-up is a share of training.*longer than training",
    ),
    "a negative warm-up": ({"objective.warmup": -0.5}, "warm-up must be 0 or more; found -0.5"),
    "a warm-up in minutes": (
        {"objective.warmup": "5 minutes"},
        "share of training such as 0.2, or '5 epochs'.*found '5 minutes'",
    ),
    "cycles of nothing": ({"objective.cycles": 4}, "objective.cycles = 4 needs objective.warmup"),
    "an infinite rate": ({"training.learning_rate": "inf"}, "training.learning_rate: .*finite"),
    "selection by the test images": (
        {"training.keep": "best", "data.validation": "test"},
        "nothing may be chosen by the test images",
    ),
    "importance weights of an autoencoder": (
        {"objective.kind": "importance-weighted", "model.posterior.kind": "deterministic"},
        "has no density, which the objective .importance-weighted. asks for",
    ),
    "no draws": ({"objective.samples": 0}, "objective.samples: Input should be greater than or equal to 1; found 0"),
    "no bounds": (
        {"objective.kind": "importance-weighted", "objective.bounds": 0},
        "objective.bounds: Input should be greater than or equal to 1; found 0",
    ),
    "a batch of one for total correlation": (
        {"objective.kind": "total-correlation", "training.batch_size": 1},
        "training.batch_size = 1: the objective 'total-correlation' compares the images of a batch, and needs 2 at least",
    ),
    "a batch of one for MMD": (
        {"objective.kind": "mmd", "training.batch_size": 1},
        "training.batch_size = 1: the objective 'mmd' .* needs 2 at least",
    ),
    "a critic of three": ({"objective.kind": "factor", "training.batch_size": 3}, "needs 4 at least"),
    "several draws where one is taken": (
        {"objective.kind": "mmd", "objective.samples": 3},
        r"the objective 'mmd' takes one draw of each image; leave objective.samples out \(found 3\)",
    ),
    "total correlation of points": (
        {"objective.kind": "total-correlation", "model.posterior.kind": "deterministic"},
        "a deterministic posterior has no density, .*use model.posterior.kind = 'gaussian', or objective.kind = 'elbo'",
    ),
    "free bits of a dimension under a prior of the whole": (
        {"objective.kind": "free-bits", "model.prior.kind": "vamp"},
        "asks for the KL of each dimension of z, which there is not with 'vamp'; use objective.of = 'whole'",
    ),
    "the variances of points": (
        {"objective.kind": "dip", "objective.of": "draws", "model.posterior.kind": "deterministic"},
        "a deterministic posterior does not have; use objective.of = 'means'",
    ),
    "an unknown critic": (
        {"objective.kind": "vae-gan", "objective.critic": "convolution"},
        "unknown network 'convolution'; did you mean 'convolutional'",
    ),
    "nothing to reconstruct by": (
        {"objective.kind": "vae-gan", "objective.pixels": 0.0, "objective.features": 0.0},
        "are both 0, so nothing would be reconstructed",
    ),
    "kernels of no width": ({"objective.kind": "mmd", "objective.scales": []}, "objective.scales: .*at least 1 item"),
    "a share of more than all": (
        {"objective.kind": "importance-weighted", "objective.elbo_share": 1.5},
        "objective.elbo_share: Input should be less than or equal to 1; found 1.5",
    ),
    "a VampPrior of densities that are dear elsewhere": (
        {"model.posterior.kind": "inverse-autoregressive", "model.prior.kind": "vamp"},
        "needs a pass for each dimension.*'full-gaussian'",
    ),
    "a sphere under a Gaussian prior": (
        {"model.posterior.kind": "von-mises-fisher"},
        "lives in: sphere, where a normal prior has no density; use model.prior.kind = 'uniform-sphere' or 'vamp'",
    ),
    "all numbers under the prior of a sphere": (
        {"model.prior.kind": "uniform-sphere"},
        "z of a gaussian posterior lives in: reals, .*'normal'",
    ),
    "a sphere of dimension 0": (
        {"model.posterior.kind": "von-mises-fisher", "model.prior.kind": "uniform-sphere", "model.latent_dim": 1},
        "2 at least, for a circle; found 1",
    ),
    "a key of another kind": ({"model.likelihood.scale": 2.0}, "unknown key 'model.likelihood.scale'"),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_value_is_one_clear_line(name: str):
    changes, words = BAD_VALUES[name]
    with pytest.raises(VaelabError, match=words) as caught:
        Config().with_values(changes)
    assert "\n" not in str(caught.value)


def test_bad_files_are_one_clear_line(tmp_path):
    with pytest.raises(VaelabError, match="no such configuration file"):
        load_config(tmp_path / "none.toml")
    path = tmp_path / "mine.toml"
    path.write_text("training = {")
    with pytest.raises(VaelabError, match=r"mine.toml: not a TOML file"):
        load_config(path)
    path.write_text("[training]\nepoch = 3\n")
    with pytest.raises(VaelabError, match=r"mine.toml: unknown key 'training.epoch'; did you mean 'training.epochs'\?"):
        load_config(path)
    path.write_text(f"format = {FORMAT + 1}\n")
    with pytest.raises(VaelabError, match="written by a newer vaelab"):
        load_config(path)


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(VaelabError, match="unknown recipe 'tutorail'; did you mean 'tutorial'"):
        load_recipe("tutorail")


def test_known_keys_reach_every_kind():
    keys = set(known_keys())
    assert {"seed", "model.likelihood.floor", "training.schedule.rise", "training.schedule.factor"} <= keys


def test_every_key_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    rooms = {"data", "model", "objective", "training"}
    missing = [key for key in known_keys() if key not in rooms and f"`{key}`" not in text]
    assert not missing, missing


def test_the_page_of_all_keys_is_what_the_configuration_says():
    from scripts.write_configuration_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "make it again: python -m scripts.write_configuration_page"


def test_encoder_and_decoder_are_described_as_one():
    """The page has one row for both."""
    fields = ModelConfig.model_fields
    assert fields["encoder"].annotation is fields["decoder"].annotation
    assert fields["encoder"].default == fields["decoder"].default


def test_a_resolved_configuration_of_before_means_what_it_meant():
    """A run of before `training.first_layer_rate` trained all layers at the whole rate, and resumes so; a new one asks its data."""
    assert Run.open("pretrained:tutorial").config.training.first_layer_rate == 1.0
    assert load_recipe("tutorial").training.first_layer_rate == "auto"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("affine", "sometimes", "model.prior.affine: Input should be 'trained' or 'fixed'"),
        ("knots", 1, "model.prior.knots"),
        ("flow", "planar", "model.prior.flow"),
        ("depth", 3, "unknown key 'model.prior.depth'"),
    ],
)
def test_a_kind_that_is_called_as_a_key_is_stays_out_of_the_key(key: str, value: object, words: str) -> None:
    with pytest.raises(VaelabError, match=re.escape(words)):
        Config.from_values({"model": {"prior": {"kind": "flow", key: value}}}, source="test")
