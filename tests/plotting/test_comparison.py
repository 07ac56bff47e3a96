"""The figure of `compare`: paired differences, each with its error."""

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from vaelab.plotting.comparison import comparison_figure


def words_of(figure: object) -> list[str]:
    return [text.get_text() for text in figure.texts]  # pyright: ignore[reportAttributeAccessIssue]


def test_differences_carry_the_error_of_the_pairs(generator: np.random.Generator) -> None:
    """Bars of the means overlapped, 100 ± 2.1 and 99.5 ± 2.1, where the difference is sure."""
    first = generator.normal(100.0, 30.0, 200)
    second = first - 0.5 + generator.normal(0.0, 0.1, 200)
    figure = comparison_figure(["trained", "mixture"], [first, second], facts="200 images")
    means, images = figure.axes
    (bar,) = means.containers
    assert isinstance(bar, ErrorbarContainer)
    point, _, (line,) = bar.lines
    difference = second - first
    error = difference.std(ddof=1) / np.sqrt(200)
    assert np.asarray(point.get_xdata()) == pytest.approx([difference.mean()])
    (ends,) = line.get_segments()
    assert ends[:, 0] == pytest.approx([difference.mean() - error, difference.mean() + error])
    assert any(text.get_text().startswith("−0.5") and "±" in text.get_text() for text in means.texts)
    assert {"trained", "mixture", f"{first.mean():.2f}", f"{second.mean():.2f}"} <= set(words_of(figure))
    assert sum(len(np.asarray(line.get_xdata())) == 400 for line in images.lines) == 1
    assert not any("minus trained" in words for words in words_of(figure))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "images", "scale"), [(2, 1, 1.0), (12, 30, 1.0), (3, 30, 1e9)], ids=["one image", "twelve", "large"]
)
def test_names_and_numbers_stay_on_the_page(
    rows: int, images: int, scale: float, generator: np.random.Generator
) -> None:
    names = [f"a run with a long name that goes on and on and on {row}" for row in range(rows)]
    scores = [scale * generator.normal(row, 1.0, images) for row in range(rows)]
    figure = comparison_figure(names, scores, score_name="exact negative log-likelihood", facts="images")
    figure.canvas.draw()
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
    assert not any(
        axes.xaxis.get_offset_text().get_text() or axes.yaxis.get_offset_text().get_text() for axes in figure.axes
    )


def test_equal_scores_are_drawn(generator: np.random.Generator) -> None:
    scores = generator.normal(size=20)
    figure = comparison_figure(["a", "b"], [scores, scores])
    figure.canvas.draw()
    assert "0.00 ± 0.00" in [text.get_text() for text in figure.axes[0].texts]
