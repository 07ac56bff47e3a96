"""One table of constructors for networks, families and objectives, as `priors/table.py` is for priors: every law runs over every row.

A new part is one row here too.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr

from vaelab.building import build_model
from vaelab.config import ModelConfig
from vaelab.families.base import AbstractFamily
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS
from vaelab.model import Model
from vaelab.networks.base import AbstractNetwork
from vaelab.networks.building import build_network
from vaelab.networks.conditioned import AtLabel
from vaelab.objectives.base import AbstractObjective
from vaelab.space import Space

KEY = jr.key(5)
LATENT = (3,)
IMAGE = (4, 5)

NETWORK_SETTINGS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": (7, 6)},
    "mlp, tanh": {"kind": "mlp", "hidden": (7,), "activation": "tanh"},
    "mlp, gated": {"kind": "mlp", "hidden": (7, 5), "activation": "gated"},
    "mlp without layers": {"kind": "mlp", "hidden": ()},
    "convolutional": {"kind": "convolutional"},
    "convolutional, two layers and a dense one": {
        "kind": "convolutional",
        "channels": (3, 4),
        "dense": (6,),
        "activation": "silu",
    },
    "residual": {"kind": "residual", "channels": (4,), "blocks": (2,)},
    "residual, two maps without norms": {
        "kind": "residual",
        "channels": (3, 4),
        "blocks": (0, 1),
        "norm": "none",
        "activation": "silu",
    },
    "convolutional, told the label": {
        "kind": "conditioned",
        "network": {"kind": "convolutional", "channels": (3,)},
        "classes": 3,
    },
    "mlp, told the label": {"kind": "conditioned", "network": {"kind": "mlp", "hidden": (7, 6)}, "classes": 3},
}
POSTERIOR_SETTINGS: dict[str, dict[str, Any]] = {
    "gaussian": {"kind": "gaussian"},
    "full-gaussian": {"kind": "full-gaussian"},
    "inverse-autoregressive": {"kind": "inverse-autoregressive", "steps": 2, "width": 7, "context": 4},
    "planar": {"kind": "planar", "steps": 3},
    "sylvester": {"kind": "sylvester", "steps": 2, "reflections": 2},
    "von-mises-fisher": {"kind": "von-mises-fisher"},
    "fsq": {"kind": "fsq", "levels": (8, 5, 4)},
    "vq": {"kind": "vq", "codes": 6, "dim": 3},
    "vq, not normalised": {"kind": "vq", "codes": 6, "dim": 3, "normalised": False},
    "vq, two books": {"kind": "vq", "codes": 5, "dim": 1, "books": 3, "normalised": False},
    "deterministic": {"kind": "deterministic"},
}
LIKELIHOOD_SETTINGS: dict[str, dict[str, Any]] = {
    "bernoulli": {"kind": "bernoulli"},
    "continuous-bernoulli": {"kind": "continuous-bernoulli"},
    "gaussian": {"kind": "gaussian", "scale": 0.4},
    "gaussian, learned": {"kind": "gaussian", "scale": 0.7, "learned": True, "floor": 0.05},
    "gaussian, optimal": {"kind": "gaussian", "scale": 0.7, "learned": "optimal"},
    "laplace": {"kind": "laplace", "scale": 0.5},
    "laplace, fixed": {"kind": "laplace", "scale": 0.5, "learned": False},
    "discretised-logistic": {"kind": "discretised-logistic", "scale": 0.2},
    "discretised-logistic, fixed": {"kind": "discretised-logistic", "scale": 0.2, "learned": False},
    "discretised-logistic, each": {"kind": "discretised-logistic", "scale": 0.2, "learned": "each"},
    "logistic-mixture": {"kind": "logistic-mixture", "scale": 0.2, "components": 3},
    "categorical": {"kind": "categorical", "scale": 0.2},
}
OBJECTIVE_SETTINGS: dict[str, dict[str, Any]] = {
    "elbo": {"kind": "elbo"},
    "elbo of three draws": {"kind": "elbo", "samples": 3},
    "importance-weighted": {"kind": "importance-weighted", "samples": 4},
    "importance-weighted, doubly reparameterised": {
        "kind": "importance-weighted",
        "samples": 4,
        "gradient": "doubly-reparameterised",
    },
    "importance-weighted, several bounds": {"kind": "importance-weighted", "samples": 3, "bounds": 2},
    "importance-weighted, partially": {"kind": "importance-weighted", "samples": 3, "bounds": 2, "decoder": "joint"},
    "importance-weighted, combined": {"kind": "importance-weighted", "samples": 4, "elbo_share": 0.3},
    "importance-weighted, all at once": {
        "kind": "importance-weighted",
        "samples": 3,
        "bounds": 2,
        "decoder": "joint",
        "elbo_share": 0.3,
        "gradient": "doubly-reparameterised",
    },
    "free-bits": {"kind": "free-bits", "free_nats": 0.02},
    "free-bits, whole": {"kind": "free-bits", "free_nats": 0.1, "of": "whole"},
    "capacity": {"kind": "capacity", "capacity": 3.0},
    "total-correlation": {"kind": "total-correlation", "images": 60},
    "total-correlation, weighted": {"kind": "total-correlation", "estimator": "weighted", "mutual_information": 0.5},
    "factor": {"kind": "factor", "critic": (6,)},
    "dip": {"kind": "dip"},
    "dip, of draws": {"kind": "dip", "of": "draws"},
    "mmd": {"kind": "mmd"},
    "mmd, rbf": {"kind": "mmd", "kernel": "rbf", "scales": (1.0,)},
    "adversarial": {"kind": "adversarial", "critic": (6,)},
    "regularised": {"kind": "regularised"},
    "regularised, gradient": {"kind": "regularised", "penalty": "gradient"},
    "regularised, spectral": {"kind": "regularised", "penalty": "spectral"},
    "vae-gan": {"kind": "vae-gan", "critic": "mlp"},
    "ms-ssim": {"kind": "ms-ssim", "window": 3},
}


def network_of(name: str, given: Space) -> AbstractNetwork:
    """That which reads an image; where what is given is none, that which draws one. One that is told the label is at one label, with a
    scale and a shift that are not where they begin.
    """
    image = Space.of_shape(IMAGE)
    wanted = None if given == image else image
    network = build_network(NETWORKS.settings(NETWORK_SETTINGS[name]), given, wanted=wanted, key=KEY)
    if "classes" not in NETWORK_SETTINGS[name]:
        return network
    shaken = [0.3 * jr.normal(jr.fold_in(KEY, place), network.scale.shape) for place in range(2)]
    network = eqx.tree_at(lambda network: (network.scale, network.shift), network, shaken)
    return AtLabel(network, jnp.int32(1), network.out_shape)


def posterior_of(name: str) -> AbstractFamily:
    return POSTERIORS.build(POSTERIORS.settings(POSTERIOR_SETTINGS[name]), LATENT, key=KEY)


def likelihood_of(name: str) -> AbstractFamily:
    return LIKELIHOODS.build(LIKELIHOODS.settings(LIKELIHOOD_SETTINGS[name]), IMAGE, key=KEY)


def objective_of(name: str) -> AbstractObjective:
    return OBJECTIVES.build(OBJECTIVES.settings(OBJECTIVE_SETTINGS[name]))


@lru_cache
def model_of(
    posterior: str = "gaussian", likelihood: str = "bernoulli", network: str = "mlp", prior: str = "normal"
) -> Model:
    config = ModelConfig.model_validate(
        {
            "latent_dim": LATENT[0],
            "image_shape": IMAGE,
            "encoder": NETWORK_SETTINGS[network],
            "decoder": NETWORK_SETTINGS[network],
            "posterior": POSTERIOR_SETTINGS[posterior],
            "likelihood": LIKELIHOOD_SETTINGS[likelihood],
            "prior": {"kind": prior},
        }
    )
    return build_model(config, KEY)


ALL_TABLES: dict[str, tuple[Any, dict[str, dict[str, Any]]]] = {
    "networks": (NETWORKS, NETWORK_SETTINGS),
    "posteriors": (POSTERIORS, POSTERIOR_SETTINGS),
    "likelihoods": (LIKELIHOODS, LIKELIHOOD_SETTINGS),
    "objectives": (OBJECTIVES, OBJECTIVE_SETTINGS),
}

Builder = Callable[[str], Any]
