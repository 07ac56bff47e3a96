"""Numbers in titles and on axes."""

import pytest

from vaelab.plotting.quantities import PlainNumbers, amount


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (153.317, "153.32"),
        (-1290.5, "−1,290.50"),
        (9.6e7, "9.60×10⁷"),
        (-5.2e9, "−5.20×10⁹"),
        (0.0, "0.00"),
        (-0.001, "0.00"),
        (float("nan"), "nan"),
    ],
)
def test_amounts(value: float, words: str) -> None:
    assert amount(value) == words


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([0.0, 2.5, 5.0, 7.5], ["0", "2.5", "5.0", "7.5"]),
        ([-2.0, 0.0, 2.0], ["−2", "0", "2"]),
        ([0.0, 1e9, 2e9], ["0", "1×10⁹", "2×10⁹"]),
        ([1e9, 1.25e9], ["1.00×10⁹", "1.25×10⁹"]),
        ([151.2341, 151.2342], ["151.2341", "151.2342"]),
        ([10000.0, 20000.0], ["10,000", "20,000"]),
        ([0.0, 2e-6, 4e-6], ["0", "2×10⁻⁶", "4×10⁻⁶"]),
    ],
)
def test_ticks_say_their_whole_number(places: list[float], words: list[str]) -> None:
    formatter = PlainNumbers()
    assert formatter.format_ticks(places) == words
    assert formatter.get_offset() == ""
