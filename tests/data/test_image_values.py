"""What arrays of images mean: one rule for what is fitted, and the rule of what was fitted for all that comes later."""

import logging

import numpy as np
import pytest

from vaelab.data.image_spec import ImageSpec
from vaelab.data.image_values import ImageValues, as_fitted, as_images
from vaelab.errors import VaelabError
from vaelab.kinds import LIKELIHOODS

LEVELS = np.random.default_rng(0).integers(0, 256, (20, 6, 5), dtype=np.uint8)
TRUTH = LEVELS > 127
UNIT = (LEVELS / 255).astype(np.float32)
BLACK_AND_WHITE = TRUTH.astype(np.uint8) * np.uint8(255)

# What is fitted: the array, what becomes of it, and whether its values had to be looked at, which is said.
FIRST = {
    "uint8": (LEVELS, LEVELS, False),
    "int64 of 0 to 255": (LEVELS.astype(np.int64), LEVELS, True),
    "big-endian int16": (LEVELS.astype(">i2"), LEVELS, True),
    "booleans": (TRUTH, BLACK_AND_WHITE, False),
    "int64 of 0 and 1": (TRUTH.astype(np.int64), BLACK_AND_WHITE, True),
    "uint8 of 0 and 1": (TRUTH.astype(np.uint8), BLACK_AND_WHITE, True),
    "int64 of 1 alone": (np.ones((3, 4), np.int64), np.full((3, 4), 255, np.uint8), True),
    "black": (np.zeros((3, 4), np.uint8), np.zeros((3, 4), np.uint8), False),
    "float64": (UNIT.astype(np.float64), UNIT, False),
    "float16": (np.float16([[0.5, 1.0]]), np.float32([[0.5, 1.0]]), False),
    "floats of any range": (LEVELS.astype(np.float64) - 300, LEVELS.astype(np.float32) - 300, False),
}


@pytest.mark.parametrize("kind", FIRST)
def test_what_an_array_becomes(kind, caplog):
    array, expected, said = FIRST[kind]
    with caplog.at_level(logging.WARNING, logger="vaelab"):
        found = as_images(array, "X")
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert bool(caplog.messages) == said
    assert all(message.startswith("X: ") for message in caplog.messages)


FITTED = {
    "uint8": LEVELS,
    "bool": BLACK_AND_WHITE,
    "floats of 0 to 1": UNIT,
    "floats of 0 to 255": LEVELS.astype(np.float32),
    "floats of -1 to 1": UNIT * 2 - 1,
}
GIVEN = {
    "levels": LEVELS,
    "integers": LEVELS.astype(np.int64),
    "truth": TRUTH,
    "0 and 1": TRUTH.astype(np.uint8),
    "wide 0 and 1": TRUTH.astype(np.int64),
    "floats of 0 to 1": UNIT,
    "floats of 0 to 255": LEVELS.astype(np.float64),
    "floats of -1 to 1": UNIT * 2 - 1,
}
REFUSED = None
UNIT_MODEL = {
    "levels": LEVELS, "integers": LEVELS, "truth": BLACK_AND_WHITE, "0 and 1": BLACK_AND_WHITE, "wide 0 and 1": BLACK_AND_WHITE,
    "floats of 0 to 1": UNIT, "floats of 0 to 255": REFUSED, "floats of -1 to 1": REFUSED,
}  # fmt: skip
NUMBERS = LEVELS.astype(np.float32)
# What a model that was fitted on one kind makes of another.
LATER = {
    # of 0 and 1 alone, levels of 0 to 255 would all be black: nobody can have meant that
    "uint8": UNIT_MODEL | {"0 and 1": REFUSED, "wide 0 and 1": REFUSED},
    "bool": UNIT_MODEL,
    # outliers are let through: -1 is one width outside of 0 to 1
    "floats of 0 to 1": UNIT_MODEL | {"floats of -1 to 1": UNIT * 2 - 1},
    "floats of 0 to 255": dict.fromkeys(GIVEN, REFUSED)
    | {"levels": NUMBERS, "integers": NUMBERS, "floats of 0 to 255": NUMBERS},
    "floats of -1 to 1": dict.fromkeys(GIVEN, REFUSED)
    | {
        "floats of 0 to 1": UNIT,
        "floats of -1 to 1": UNIT * 2 - 1,
        "truth": TRUTH.astype(np.float32),
        "0 and 1": TRUTH.astype(np.float32),
        "wide 0 and 1": TRUTH.astype(np.float32),
    },
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("fitted", FITTED)
def test_what_was_fitted_decides_what_comes_later(fitted, given):
    values = ImageValues.of(FITTED[fitted])
    expected = LATER[fitted][given]
    if expected is REFUSED:
        with pytest.raises(VaelabError, match=r"^X: .*where the training images are ") as caught:
            as_fitted(GIVEN[given], "X", values)
        assert "\n" not in str(caught.value)
        return
    found = as_fitted(GIVEN[given], "X", values)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("fitted", FITTED)
def test_a_part_is_read_as_the_whole(fitted):
    """Also a row of a table, whose few values may be 0 and 1 by chance."""
    table = FITTED[fitted].reshape(len(LEVELS), -1)[:, :4].copy()
    table[3] = (0, 255, 255, 0) if fitted == "bool" else (0, 1, 1, 0)
    values = ImageValues.of(FITTED[fitted])
    whole = as_fitted(table, "X", values)
    for row in range(len(table)):
        np.testing.assert_array_equal(as_fitted(table[row : row + 1], "X", values), whole[row : row + 1])


def test_the_values_that_were_fitted():
    assert ImageValues.of(LEVELS) == ImageValues("uint8")
    assert ImageValues.of(BLACK_AND_WHITE) == ImageValues("bool")
    assert ImageValues.of(UNIT * np.float32(0.3)) == ImageValues(
        "float32"
    )  # any floats within [0, 1] are of that range
    assert ImageValues.of(UNIT * 2 - 1) == ImageValues("float32", -1.0, 1.0)
    assert not ImageValues.of(UNIT * 2 - 1).is_unit


def test_a_spec_refuses_another_shape_and_says_how_to_mend_it():
    spec = ImageSpec.of_training(LEVELS, LIKELIHOODS.settings("bernoulli"), "X")
    with pytest.raises(VaelabError, match=r"shape \(5, 6\); this model takes \(6, 5\).* reshape them to \(-1, 6, 5\)"):
        spec.taken(np.moveaxis(LEVELS, 1, 2), "X_val")
    with pytest.raises(VaelabError, match=r"^X_val: images have shape \(30, 5\).*Give such images"):
        spec.taken(np.zeros((2, 30, 5), np.uint8), "X_val")
    with pytest.raises(VaelabError, match="X_val must be finite; found NaN or infinity in 1 of 20 images"):
        spec.taken(np.where(np.arange(20)[:, None, None] == 7, np.nan, UNIT), "X_val")


def test_what_a_likelihood_cannot_score_is_refused():
    for likelihood in ("bernoulli", "continuous-bernoulli"):
        with pytest.raises(
            VaelabError, match=rf"X must lie in \[0, 1\] for a {likelihood} likelihood.*Divide them by 255"
        ):
            ImageSpec.of_training(NUMBERS, LIKELIHOODS.settings(likelihood), "X")
        spec = ImageSpec.of_training(UNIT, LIKELIHOODS.settings(likelihood), "X")
        with pytest.raises(VaelabError, match=r"X_val must lie in \[0, 1\]"):
            spec.taken(UNIT * 1.01, "X_val")
    assert ImageSpec.of_training(NUMBERS, LIKELIHOODS.settings("gaussian"), "X").values == ImageValues(
        "float32", 0.0, 255.0
    )
