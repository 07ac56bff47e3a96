"""Figures, by what they contain: limits, data, image arrays, words."""

import itertools

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.text import Text
from scipy.stats import norm

from vaelab.plotting.autoencoder import COUNT, Side, autoencoder_figure, points_over_box
from vaelab.plotting.latent import Contours, latent_figure
from vaelab.plotting.loss import loss_figure
from vaelab.plotting.manifold import grid_of, manifold_figure, normal_quantiles, own_quantiles
from vaelab.plotting.page import CLASS_COLOURS, SEPARATOR
from vaelab.plotting.reconstructions import chosen_images, reconstructions_figure
from vaelab.plotting.samples import samples_figure
from vaelab.plotting.traversals import traversal_points, traversals_figure
from vaelab.plotting.tutorial import tutorial_grid, tutorial_scatter

SHAPES = {"grey": (6, 5), "RGB": (6, 5, 3), "one channel": (6, 5, 1)}


def words_of(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


# --- the latent plane ------------------------------------------------------------------------------------------------


def test_every_point_is_drawn_once_in_its_labels_colour(generator: np.random.Generator) -> None:
    points = generator.normal(size=(900, 2)).astype(np.float32)
    labels = generator.integers(0, 10, 900)
    axes = latent_figure(points, labels).axes[0]
    for label in range(10):
        drawn = [line.get_xydata() for line in axes.lines if line.get_color() == CLASS_COLOURS[label]]
        found, expected = np.concatenate(drawn), points[labels == label]
        assert np.array_equal(np.sort(found, axis=0), np.sort(expected.astype(found.dtype), axis=0))


def test_equal_axes_hold_all_points_and_three_sigma(generator: np.random.Generator) -> None:
    points = generator.normal(size=(100, 2)) * [1.0, 5.0]
    axes = latent_figure(points, None).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert axes.get_aspect() == 1.0
    assert right - left == pytest.approx(top - bottom)
    assert left <= min(-3.0, points[:, 0].min())
    assert top >= max(3.0, points[:, 1].max())


def test_the_priors_rings_stand_at_one_two_and_three_sigma(generator: np.random.Generator) -> None:
    points = generator.normal(size=(50, 2))
    rings = [patch for patch in latent_figure(points).axes[0].patches if isinstance(patch, Circle)]
    assert sorted(ring.get_radius() for ring in rings) == [1, 2, 3]
    assert all(ring.get_center() == (0, 0) for ring in rings)
    assert not latent_figure(points, rings=False).axes[0].patches


def test_another_prior_is_drawn_by_its_contours(generator: np.random.Generator) -> None:
    axis = np.linspace(-3, 3, 40)
    log_density = -0.5 * (axis[None, :] ** 2 + axis[:, None] ** 2)
    contours = Contours(axis, axis, log_density, np.array([-2.0, -0.5]))
    axes = latent_figure(generator.normal(size=(50, 2)), rings=False, contours=contours).axes[0]
    (drawn,) = axes.collections
    radii = [np.linalg.norm(path.vertices, axis=1) for path in drawn.get_paths()]
    assert np.allclose(radii[0], 2.0, atol=0.02)  # log p = -2 at radius 2
    assert np.allclose(radii[1], 1.0, atol=0.02)


def test_the_legend_names_the_labels(generator: np.random.Generator) -> None:
    figure = latent_figure(generator.normal(size=(30, 2)), np.arange(30) % 3, label_names=("ankle", "boot", "coat"))
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["ankle", "boot", "coat"]
    assert latent_figure(generator.normal(size=(30, 2)), None).axes[0].get_legend() is None


def test_one_dimension_is_a_histogram_that_is_a_density(generator: np.random.Generator) -> None:
    figure = latent_figure(generator.normal(size=(500, 1)), generator.integers(0, 3, 500))
    bars = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1.0, abs=1e-6)


# --- images ----------------------------------------------------------------------------------------------------------


def test_the_grid_is_the_tutorials_and_the_second_axis_points_upward() -> None:
    across = normal_quantiles()
    assert np.allclose(across, norm.ppf(np.linspace(0.05, 0.95, 15)), atol=1e-9)
    z = grid_of(across, across)
    assert z.shape == (225, 2)
    assert np.allclose(z[0], [across[0], across[-1]])  # upper left: smallest first, largest second
    assert np.allclose(z[-1], [across[-1], across[0]])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_the_manifold_is_one_picture_with_each_tile_at_its_place(shape: tuple[int, ...]) -> None:
    across, up = own_quantiles(np.arange(100.0), 4), own_quantiles(np.arange(50.0), 3)
    images = np.arange(12, dtype=np.float32).reshape(12, *(1 for _ in shape)) / 12 * np.ones(shape, np.float32)
    axes = manifold_figure(images, across, up).axes[0]
    (picture,) = axes.images
    page = np.asarray(picture.get_array())
    assert page.shape[:2] == (3 * 6, 4 * 5)
    for tile in range(12):
        row, column = divmod(tile, 4)
        assert np.all(page[row * 6 : row * 6 + 6, column * 5 : column * 5 + 5] == round(tile / 12 * 255))
    left, right, bottom, top = picture.get_extent()
    assert (left, right, bottom, top) == (0, 4, 3, 0)
    labels = [label.get_text().replace("−", "-") for label in axes.get_yticklabels()]
    assert [float(label) for label in labels] == pytest.approx(up[::-1], abs=0.051)
    assert axes.get_yticks()[0] == 0.5  # the largest value stands beside the first row, which is drawn on top
    assert axes.get_ylim() == (3, 0)


@pytest.mark.parametrize("name_columns_apart", [1, 2], ids=["all named", "every second"])
def test_zero_stands_on_both_axes_of_the_manifold(name_columns_apart: int) -> None:
    """Of 15 columns the eighth is 0; counting from the first in twos it went unnamed."""
    across = normal_quantiles()
    shape = (4, 4) if name_columns_apart == 1 else (40, 8)  # narrow tiles have room for every second number
    axes = manifold_figure(np.zeros((225, *shape), np.float32), across, across).axes[0]
    for axis in (axes.xaxis, axes.yaxis):
        named = dict(zip(axis.get_ticklocs(), (label.get_text() for label in axis.get_ticklabels()), strict=True))
        assert named[7.5] == "0.0"
        assert all(float(words.replace("−", "-")) == pytest.approx(value, abs=0.051) for words, value in zip(
            named.values(), across[(np.array(list(named)) - 0.5).astype(int)] * (1 if axis is axes.xaxis else -1), strict=True
        ))  # fmt: skip


def test_values_close_to_one_another_are_told_apart_on_the_manifolds_axes() -> None:
    across = np.linspace(-0.004, 0.004, 5)
    axes = manifold_figure(np.zeros((5, 4, 4), np.float32), across, None).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["−0.004", "−0.002", "0.000", "0.002", "0.004"]


def test_tutorial_style_has_the_lowest_row_first() -> None:
    images = np.repeat(np.arange(9, dtype=np.float32) / 9, 4).reshape(9, 2, 2)  # rows from the highest z2 down
    figure = tutorial_grid(images, 3)
    assert tuple(figure.get_size_inches()) == (10, 10)
    (picture,) = figure.axes[0].images
    assert picture.get_cmap().name.lower() in ("greys_r", "grays_r")
    page = np.asarray(picture.get_array())
    assert page[0, 0] == round(6 / 9 * 255)
    assert page[-1, -1] == round(2 / 9 * 255)


def test_tutorial_style_has_the_scatter_with_its_colour_bar(generator: np.random.Generator) -> None:
    figure = tutorial_scatter(generator.normal(size=(40, 2)), np.arange(40) % 10)
    assert tuple(figure.get_size_inches()) == (6, 6)
    assert len(figure.axes) == 2
    assert figure.axes[0].collections[0].get_cmap().name == "viridis"
    assert figure.axes[0].get_xlabel().startswith("mean of z₁")


def test_reconstructions_stand_under_their_originals(generator: np.random.Generator) -> None:
    originals = generator.integers(0, 256, (13, 4, 4), dtype=np.uint8)
    changed = 1.0 - originals.astype(np.float32) / 255
    figure = reconstructions_figure(originals, changed, columns=10)
    pages = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert len(pages) == 2
    assert np.array_equal(pages[0][:4, 6:10], originals[1])
    assert np.array_equal(pages[0][6:, 6:10], 255 - originals[1])
    assert np.array_equal(pages[1][:4, 12:16], originals[12])
    assert np.all(pages[1][:, 18:] == 255)  # nothing there


def test_one_image_does_not_fill_the_page() -> None:
    figure = reconstructions_figure(np.zeros((1, 32, 32), np.uint8), np.zeros((1, 32, 32), np.float32))
    assert figure.get_figheight() < 5.0


def test_bars_are_as_many_as_the_values_fill(generator: np.random.Generator) -> None:
    for values in (generator.normal(size=(100, 1)), np.ones((5, 1))):
        bars = [patch for patch in latent_figure(values).axes[0].patches if isinstance(patch, Rectangle)]
        assert 10 <= len(bars) <= 20
        assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1.0, abs=1e-6)


def test_a_column_for_each_label_where_there_are_few() -> None:
    labels = np.array([2, 1, 0, 0, 1, 2, 2, 1, 0, 0])
    chosen = chosen_images(labels, 10)
    assert labels[chosen].tolist() == [0, 1, 2] * 3
    assert chosen[:3].tolist() == [2, 1, 0]
    assert chosen_images(None, 7).tolist() == list(range(7))


def test_features_are_drawn_as_curves(generator: np.random.Generator) -> None:
    values = generator.uniform(size=(7, 9)).astype(np.float32)
    axes = samples_figure(values, columns=4).axes[0]
    assert not axes.images
    (curves,) = [collection for collection in axes.collections if isinstance(collection, LineCollection)]
    segments = curves.get_segments()
    assert len(segments) == 7
    for place, segment in enumerate(segments):
        row, column = divmod(place, 4)
        assert column < segment[:, 0].min() < segment[:, 0].max() < column + 1
        assert np.allclose((row + 0.9 - segment[:, 1]) / 0.8, values[place], atol=1e-5)


def test_values_outside_the_shown_range_become_black_and_white() -> None:
    images = np.array([-4.0, -2.0, 0.0, 2.0, 9.0], np.float32).reshape(5, 1, 1) * np.ones((1, 2, 2), np.float32)
    page = np.asarray(samples_figure(images, columns=5, shown=(-2.0, 2.0)).axes[0].images[0].get_array())
    assert page[0, [0, 4, 8, 12, 16]].tolist() == [0, 0, 128, 255, 255]


def test_a_traversal_moves_one_dimension_and_no_other() -> None:
    base = np.array([1.0, 2.0, 3.0], np.float32)
    values = np.array([[-1.0, 0.0, 1.0], [5.0, 6.0, 7.0]])
    z = traversal_points(base, [2, 0], values)
    assert z.tolist() == [[1, 2, -1], [1, 2, 0], [1, 2, 1], [5, 2, 3], [6, 2, 3], [7, 2, 3]]
    figure = traversals_figure(np.zeros((6, 4, 4), np.float32), ["z₃   KL 2.0", "z₁   KL 1.0"])
    assert "z₃   KL 2.0" in words_of(figure)


# --- headings and numbers that fit ------------------------------------------------------------------------------------


def test_headings_stay_on_their_page_and_above_what_is_drawn() -> None:
    """A title of 32 dimensions ran over the right edge, a third line of facts into the picture."""
    facts = SEPARATOR.join(["a-run-with-a-name-that-somebody-thought-about-for-a-long-while" * 2, *["one fact"] * 12])
    title = "Traversals: the 12 strongest of 32 dimensions, one moved at a time, and then moved a little more"
    figure = samples_figure(np.zeros((100, 8, 8), np.float32), title=title, facts=facts)
    boxes = [text.get_window_extent() for text in figure.texts]
    assert all(box.x1 < figure.bbox.width for box in boxes)
    assert min(box.y0 for box in boxes) > figure.axes[0].get_window_extent().y1
    tops = sorted((box.y1 for box in boxes), reverse=True)
    assert all(upper - lower > 15 for upper, lower in itertools.pairwise(tops))
    shown = "".join(text.get_text() for text in figure.texts).replace(" ", "")
    assert title.replace(" ", "") in shown
    assert shown.count("onefact") == 12


def test_large_losses_are_said_without_a_power_in_the_corner() -> None:
    records = [record(epoch, 5.0) | {"loss": 9.6e8 / epoch, "val_loss": 5.2e9 / epoch} for epoch in (1, 2, 3, 4)]
    figure = loss_figure(records)
    figure.canvas.draw()
    assert "training 2.40×10⁸, validation 1.30×10⁹" in words_of(figure)
    for axes in figure.axes:
        assert not axes.yaxis.get_offset_text().get_text()
        assert not axes.xaxis.get_offset_text().get_text()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert any(label.endswith("×10⁹") for label in labels)
    boxes = [label.get_window_extent() for axes in figure.axes for label in axes.get_yticklabels()]
    assert min(box.x0 for box in boxes) > 0


# --- loss, and the two planes side by side ---------------------------------------------------------------------------


def record(epoch: int, kl: float, *, held_out: bool = True) -> dict[str, float]:
    line = {"epoch": epoch, "loss": 100.0 / epoch + kl, "reconstruction": 100.0 / epoch, "kl": kl, "beta": 1.0}
    return line | ({f"val_{name}": 1.0 + line[name] for name in ("loss", "reconstruction", "kl")} if held_out else {})


def test_loss_shows_both_parts_for_training_and_validation() -> None:
    records = [record(epoch, 5.0) for epoch in (1, 2, 3, 4)]
    figure = loss_figure(records, facts="of a run")
    assert len(figure.axes) == 3
    for axes, name in zip(figure.axes, ("loss", "reconstruction", "kl"), strict=True):
        training, validation = axes.lines
        assert np.asarray(training.get_ydata()).tolist() == [line[name] for line in records]
        assert np.asarray(validation.get_ydata()).tolist() == [line[f"val_{name}"] for line in records]
    assert "30.00, validation 31.00" in words_of(figure)


def test_an_autoencoders_loss_has_one_panel_and_training_alone_one_line() -> None:
    figure = loss_figure([record(epoch, 0.0, held_out=False) for epoch in (1, 2)])
    assert len(figure.axes) == 1
    assert len(figure.axes[0].lines) == 1


def test_the_box_is_the_smallest_that_holds_the_codes(generator: np.random.Generator) -> None:
    codes = generator.normal(size=(200, 2)) * [30.0, 2.0]
    drawn = points_over_box(codes, 5000, seed=0)
    assert np.all(drawn >= codes.min(axis=0).astype(np.float32))
    assert np.all(drawn <= codes.max(axis=0).astype(np.float32))
    shares = (drawn - codes.min(axis=0)) / np.ptp(codes, axis=0)
    assert np.allclose(shares.mean(axis=0), 0.5, atol=0.02)
    assert np.allclose(shares.std(axis=0), 1 / np.sqrt(12), atol=0.02)  # uniform
    assert np.array_equal(drawn, points_over_box(codes, 5000, seed=0))


def test_both_planes_show_their_points_draws_and_images(generator: np.random.Generator) -> None:
    points, labels = generator.normal(size=(120, 2)).astype(np.float32), np.arange(120) % 10
    images = generator.uniform(size=(COUNT, 28, 28)).astype(np.float32)
    shares = np.full(10, 0.1)
    left = Side("Autoencoder", points * 9, points[:COUNT] * 9, images, "Drawn uniformly", False, shares)
    right = Side("Variational autoencoder", points, points[:COUNT], images, "Drawn from its prior", True, shares)
    figure = autoencoder_figure(left, right, labels)
    planes = [axes for axes in figure.axes if axes.lines]
    assert len(planes) == 2
    for axes, side in zip(planes, (left, right), strict=True):
        (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
        assert np.array_equal(crosses.get_xydata(), side.drawn.astype(float))
    assert [len(axes.patches) for axes in planes] == [0, 3]  # the rings belong to the VAE alone
    assert sum(bool(axes.images) for axes in figure.axes) == 2
    bars = [axes for axes in figure.axes if len(axes.patches) == 10]
    assert len(bars) == 2
