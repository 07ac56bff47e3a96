"""What the tutorial's training step costs, without a clock: operations, bytes, and which arrays its program copies."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import vaelab

PROGRAM = """
import json, sys
import equinox as eqx
import numpy as np
from vaelab.config import load_recipe
from vaelab.training import InMemory, TrainingData, step
from vaelab.training.beginning import begin, resolve
from vaelab.training.epoch import run_epoch
if sys.argv[1] == "not awaited":
    step.awaited = lambda gradient: gradient
images = np.random.default_rng(0).integers(0, 66, (60_000, 28, 28), np.uint8)  # as dark as digits
data = TrainingData(images, None)
config = resolve(load_recipe("tutorial"), data)
begun = begin(config, data)
given = begun.trainer.plan.place.whole((begun.trainer, begun.state(), InMemory(data.images, data.labels)))
compiled = eqx.filter_jit(run_epoch).lower(*given).compile().compiled
print(json.dumps({"cost": compiled.cost_analysis(), "text": compiled.as_text()}))
"""


def program_of(way: str) -> dict[str, Any]:
    """On one device and with all of XLA's optimisations, which the tests do without."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, way],
        capture_output=True,
        check=True,
        text=True,
        env={
            "JAX_NUM_CPU_DEVICES": "1",
            "JAX_PLATFORMS": "cpu",
            "PATH": "",
            "PYTHONPATH": str(Path(vaelab.__file__).parents[1]),
        },
    )
    return json.loads(found.stdout)


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return program_of("as it is")


def copies_of(program: dict[str, Any], shape: str) -> int:
    return len(re.findall(rf"= f32\[{shape}\]\S* copy\(", program["text"]))


def test_a_step_costs_what_it_cost(program: dict[str, Any]):
    """XLA counts the scan's body once: one step of 100 images, and the draws of a whole epoch.

    By hand, at 2 operations a weight and image: the layers on the pixels and on the image, 784 x 256 each, once forward, once for the
    weights' gradient, and the decoder's once more for what came before it; the rest is small. 201 million of the 231 million counted.
    """
    products = 2 * 100 * 784 * 256 * 5
    # XLA's count, on jax 0.10: 230.6 million operations, 80.9 MB; 5 % is left to its versions
    assert products < program["cost"]["flops"] < 1.05 * 230.6e6
    assert program["cost"]["bytes accessed"] < 1.05 * 80.9e6


def test_weights_are_updated_in_place(program: dict[str, Any]):
    """The decoder's weights and their moments are copied once, into the epoch, and in no step; without the awaited gradient in each."""
    assert copies_of(program, "256,784") == copies_of(program, "784,256") == 2
    assert copies_of(program_of("not awaited"), "256,784") == 3
