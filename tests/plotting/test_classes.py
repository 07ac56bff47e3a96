"""Classes are told apart: by colours and shapes for every kind of eye, and by names where their points are."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from vaelab.plotting.autoencoder import COUNT, Side, autoencoder_figure
from vaelab.plotting.classes import class_colours, class_shapes, densest_place, kept_apart, legend_of
from vaelab.plotting.latent import latent_figure

# what eyes without one kind of cone see: Machado, Oliveira and Fernandes 2009, severity 1
EYES = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(colours: list[str], eyes: str) -> np.ndarray:
    """CIE 1976 L*a*b* of colours as such eyes see them."""
    channels = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours]) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(EYES[eyes]).T, 0.0, 1.0)
    xyz = seen @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    scaled = xyz / [0.9505, 1.0, 1.089]
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)


@pytest.mark.parametrize("eyes", EYES)
def test_ten_colours_stay_apart_for_colour_blind_eyes(eyes: str) -> None:
    """Colour differences (CIE 1976) of all pairs; of two that share a shape, more than twice as far."""
    seen, shapes = lab(class_colours(10), eyes), class_shapes(10)
    for a, b in itertools.combinations(range(10), 2):
        apart = np.linalg.norm(seen[a] - seen[b])
        assert apart > 18.0, (a, b)
        if shapes[a] == shapes[b]:
            assert apart > 45.0, (a, b)


def test_three_five_and_eight_are_no_greys_and_far_apart() -> None:
    """A model of digits has them over one another, and two of the ten were greys."""
    colours = class_colours(10)
    assert np.hypot(*lab(colours, "normal")[:, 1:].T).min() > 20.0
    for eyes in EYES:
        seen = lab([colours[digit] for digit in (3, 5, 8)], eyes)
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 28.0


def test_of_fifty_classes_no_two_look_the_same() -> None:
    assert len(set(zip(class_colours(50), class_shapes(50), strict=True))) == 50


def test_the_densest_place_is_where_most_points_are(generator: np.random.Generator) -> None:
    """Of a class in two parts the mean and the median lie between them, where it has no point."""
    dense, wide = generator.normal((-3.0, 1.0), 0.2, (600, 2)), generator.normal((3.0, 0.0), 1.5, (700, 2))
    points = np.concatenate([wide, dense]).astype(np.float32)
    assert densest_place(points) == pytest.approx([-3.0, 1.0], abs=0.3)
    assert any(np.array_equal(densest_place(points), point.astype(np.float64)) for point in points)
    assert densest_place(points[:1]) == pytest.approx(points[0])
    assert densest_place(np.ones((5, 2), np.float32)) == pytest.approx([1.0, 1.0])


def test_names_are_pushed_off_each_other(generator: np.random.Generator) -> None:
    halves = np.tile([[0.4, 0.1]], (12, 1))
    places = kept_apart(generator.normal(0.0, 0.3, (12, 2)), halves, rounds=500)
    for a, b in itertools.combinations(range(12), 2):
        assert (np.abs(places[a] - places[b]) >= halves[a] + halves[b] - 1e-6).any()


def shown(texts: list[Text]) -> list[str]:
    return [text.get_text() for text in texts]


def test_every_class_has_its_name_with_a_halo_in_the_cloud(generator: np.random.Generator) -> None:
    labels = np.arange(600) % 3
    points = generator.normal(size=(600, 2)) * 0.2 + np.array([[0, 2], [2, 0], [-2, -2]])[labels]
    axes = latent_figure(points, labels, label_names=("ankle", "boot", "coat"), rings=False).axes[0]
    named = {text.get_text(): text for text in axes.texts}
    assert list(named) == ["ankle", "boot", "coat"]
    for place, text in zip([(0, 2), (2, 0), (-2, -2)], named.values(), strict=True):
        assert text.get_position() == pytest.approx(place, abs=0.5)
        assert text.get_path_effects()


def test_a_class_without_points_has_a_place_in_the_legend_alone(generator: np.random.Generator) -> None:
    axes = latent_figure(generator.normal(size=(20, 2)), np.zeros(20, np.int64), label_names=("seen", "unseen")).axes[0]
    assert "unseen" not in shown(list(axes.texts))
    legend = axes.get_legend()
    assert legend is not None
    assert shown(legend.get_texts()) == ["seen", "unseen"]


LONG = [f"a kind of thing with a long name, and more of it {place}" for place in range(40)]


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize(
    "names",
    [LONG[:3], LONG, [str(place) for place in range(40)], ["_background", "$a$ and $b", "c\nd"]],
    ids=["three long", "forty long", "forty short", "odd letters"],
)
def test_legends_fit_their_page(names: list[str], dimensions: int, generator: np.random.Generator) -> None:
    count = len(names)
    figure = latent_figure(
        generator.normal(size=(10 * count, dimensions)), np.arange(10 * count) % count, label_names=names, title="t"
    )
    figure.canvas.draw()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == count
    box = legend.get_window_extent()
    assert box.x1 < figure.bbox.width
    assert box.y0 > 0
    axes_box = figure.axes[0].get_window_extent()
    assert all(axes_box.x0 <= text.get_window_extent().x0 for text in figure.axes[0].texts)
    assert all(text.get_window_extent().x1 <= axes_box.x1 + 1 for text in figure.axes[0].texts)
    if count == 3:
        words = shown(legend.get_texts())
        assert words[0].startswith("_background" if names[0] == "_background" else "a kind of thing")


def test_where_names_would_hide_the_points_numbers_stand_for_them(generator: np.random.Generator) -> None:
    axes = latent_figure(generator.normal(size=(400, 2)), np.arange(400) % 40, label_names=LONG, rings=False).axes[0]
    assert shown(list(axes.texts)) == [str(place + 1) for place in range(40)]
    legend = axes.get_legend()
    assert legend is not None
    assert shown(legend.get_texts())[16].startswith("17  a kind of thing")


def test_more_classes_than_a_legend_holds_are_counted(generator: np.random.Generator) -> None:
    assert legend_of([str(place) for place in range(300)], 5.4) is None
    figure = latent_figure(generator.normal(size=(600, 2)), np.arange(600) % 300, facts="a run")
    assert figure.axes[0].get_legend() is None
    assert "300 classes, too many to name" in " ".join(shown(list(figure.texts)))


def test_both_planes_name_their_classes(generator: np.random.Generator) -> None:
    points, labels = generator.normal(size=(120, 2)).astype(np.float32), np.arange(120) % 3
    images = np.zeros((COUNT, 4, 4), np.float32)
    sides = [
        Side(title, points, points[:COUNT], images, "Drawn", rings, None)
        for title, rings in (("A", False), ("B", True))
    ]
    figure = autoencoder_figure(sides[0], sides[1], labels, label_names=("ankle", "boot", "coat"))
    planes = [axes for axes in figure.axes if axes.lines]
    assert all({"ankle", "boot", "coat"} <= set(shown(list(axes.texts))) for axes in planes)
    assert {"ankle", "boot", "coat"} <= set(shown(list(figure.texts)))
