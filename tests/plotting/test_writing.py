"""`write_figures`: what a run's figures are made of, and what is said where there can be none."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from conftest import small
from vaelab.building import build_model
from vaelab.data import Dataset, Split
from vaelab.errors import VaelabError
from vaelab.evaluation.material import Material
from vaelab.model_file import save_model
from vaelab.plotting import write_figures
from vaelab.plotting.material import FigureMaterial, contours_of
from vaelab.plotting.writing import figures_of
from vaelab.runs import Run


def written(run: Run, tmp_path: Path, **options: object) -> tuple[list[str], list[str]]:
    said: list[str] = []
    paths = write_figures(run, folder=tmp_path, say=said.append, **options)  # pyright: ignore[reportArgumentType]
    assert all(path.stat().st_size > 1000 for path in paths)
    return [path.name for path in paths], said


def test_a_run_gets_its_five_figures(tiny_run: Run, few_digits: Dataset, tmp_path: Path) -> None:
    names, said = written(tiny_run, tmp_path, dataset=few_digits)
    assert names == ["loss.png", "latent.png", "manifold.png", "reconstructions.png", "samples.png"]
    assert not said
    for name in names:
        with Image.open(tmp_path / name) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert pixels.std() > 5.0  # something is drawn
        assert np.all(pixels[[0, -1]] > 250)  # and nothing runs over the edge


def test_the_tutorials_style_is_written_beside_the_usual_figures(
    tiny_run: Run, few_digits: Dataset, tmp_path: Path
) -> None:
    written(tiny_run, tmp_path, dataset=few_digits, names=["latent"])
    before = (tmp_path / "latent.png").read_bytes()
    names, _ = written(tiny_run, tmp_path, dataset=few_digits, names=["loss", "latent"], style="tutorial")
    assert names == ["loss.png", "latent-tutorial.png"]
    assert (tmp_path / "latent.png").read_bytes() == before


@pytest.mark.parametrize(("count", "words"), [(1, "1 test image and its"), (3, "3 test images and their")])
def test_one_image_is_one_image(count: int, words: str, tiny_run: Run, few_digits: Dataset) -> None:
    from vaelab.plotting.writing import FIGURES

    test = Split(few_digits.test.images[:count], few_digits.test.labels[:count])  # pyright: ignore[reportOptionalSubscript]
    dataset = dataclasses.replace(few_digits, test=test)
    material = FigureMaterial(Material(tiny_run, dataset=dataset))
    figures = {name: FIGURES[name](material, "vaelab") for name in ("latent", "reconstructions")}
    said = {name: " ".join(text.get_text() for text in figure.texts) for name, figure in figures.items()}
    assert f"of {count} test image{'' if count == 1 else 's'} " in said["latent"] + " "
    assert words in said["reconstructions"]


@pytest.mark.slow
def test_prior_and_exact_posteriors_are_drawn_when_asked_for(
    tiny_run: Run, few_digits: Dataset, tmp_path: Path
) -> None:
    names, _ = written(tiny_run, tmp_path, dataset=few_digits, names=["prior", "posterior"])
    assert names == ["prior.png", "posterior.png"]


def test_an_autoencoder_has_no_samples_and_it_is_said(
    tiny_autoencoder_run: Run, few_digits: Dataset, tmp_path: Path
) -> None:
    names, said = written(tiny_autoencoder_run, tmp_path, dataset=few_digits)
    assert names == ["loss.png", "latent.png", "manifold.png", "reconstructions.png"]
    assert len(said) == 1
    assert "fit-prior" in said[0]
    with pytest.raises(VaelabError, match="an autoencoder has no prior"):
        write_figures(tiny_autoencoder_run, ["samples"], dataset=few_digits, folder=tmp_path)


def test_an_autoencoders_plane_has_no_rings_and_its_grid_its_own_quantiles(
    tiny_autoencoder_run: Run, few_digits: Dataset
) -> None:
    from vaelab.plotting.writing import FIGURES

    material = FigureMaterial(Material(tiny_autoencoder_run, dataset=few_digits))
    assert not FIGURES["latent"](material, "vaelab").axes[0].patches
    axes = FIGURES["manifold"](material, "vaelab").axes[0]
    first = float(axes.get_xticklabels()[0].get_text().replace("−", "-"))
    assert first == pytest.approx(np.quantile(material.encoded.mean[:, 0], 0.05), abs=0.06)


def test_headings_name_data_without_their_folder(tiny_run: Run, few_digits: Dataset) -> None:
    dataset = dataclasses.replace(few_digits, name="/home/of/somebody/my-photos")
    facts = FigureMaterial(Material(tiny_run, dataset=dataset)).facts
    assert "  my-photos  " in facts
    assert "somebody" not in facts


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_vector_formats(kind: str, tiny_run: Run, few_digits: Dataset, tmp_path: Path) -> None:
    (path,) = write_figures(tiny_run, ["latent"], format=kind, dataset=few_digits, folder=tmp_path)
    beginning = path.read_bytes()[:400]
    assert (b"<svg" in beginning) if kind == "svg" else beginning.startswith(b"%PDF")


def test_the_heading_says_of_what_it_is(tiny_run: Run, few_digits: Dataset) -> None:
    facts = FigureMaterial(Material(tiny_run, dataset=few_digits)).facts
    for part in ("tiny", "mnist", "2 latent dimensions", "β 1", "normal prior", "seed 0"):
        assert part in facts


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"names": ["latnet"]}, "did you mean 'latent'"),
        ({"format": "jpeg"}, "unknown format 'jpeg'"),
        ({"style": "tutorail"}, "did you mean 'tutorial'"),
    ],
)
def test_misspelt_words_get_the_nearest(options: dict[str, object], complaint: str, tiny_run: Run) -> None:
    with pytest.raises(VaelabError, match=complaint):
        write_figures(tiny_run, **options)  # pyright: ignore[reportArgumentType]


def test_test_images_of_another_shape_are_refused(tiny_run: Run, tmp_path: Path) -> None:
    with pytest.raises(VaelabError, match=r"images have shape \(8, 8\); this model takes \(28, 28\)"):
        write_figures(tiny_run, ["latent"], data="digits", folder=tmp_path)


@pytest.fixture(scope="module")
def odd_data(generator_module: np.random.Generator) -> Dataset:
    images = generator_module.uniform(size=(120, 6)).astype(np.float32)
    return Dataset("table", Split(images[:80]), Split(images[80:100]), Split(images[100:]))


@pytest.fixture(scope="module")
def generator_module() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize(
    ("latent_dim", "expected"), [(1, "manifold.png"), (4, "traversals.png")], ids=["one dimension", "four"]
)
def test_features_without_labels_in_other_dimensions(
    latent_dim: int, expected: str, odd_data: Dataset, tmp_path: Path
) -> None:
    config = small("tutorial", **{"model.latent_dim": latent_dim, "model.image_shape": [6]})
    run = Run.create(tmp_path / "run", config)
    save_model(run, build_model(config.model, jax.random.key(0)))
    names, said = written(run, tmp_path, dataset=odd_data, names=["latent", "manifold", "reconstructions", "samples"])
    assert names == ["latent.png", expected, "reconstructions.png", "samples.png"]
    assert bool(said) == (latent_dim > 2)
    written(run, tmp_path, dataset=odd_data, names=["latent"], style="tutorial")
    assert not (tmp_path / "latent-tutorial.png").exists()  # there is no such figure of these
    material = Material(run, dataset=odd_data)
    drawn = [name for name, _ in figures_of(material, ["manifold", "traversals"], only_available=True)]
    assert drawn == (["manifold", "traversals"] if latent_dim == 1 else ["traversals"])


def test_contours_hold_their_share_of_the_prior(tiny_run: Run, few_digits: Dataset) -> None:
    """For N(0, I) the levels are known: log p at 3, 2 and 1 sigma."""
    material = FigureMaterial(Material(tiny_run, dataset=few_digits))
    contours = contours_of(material.model, material.encoded.mean)
    expected = [-np.log(2 * np.pi) - 0.5 * sigma**2 for sigma in (3, 2, 1)]
    assert contours.levels == pytest.approx(expected, abs=0.12)
    row, column = np.unravel_index(contours.log_density.argmax(), contours.log_density.shape)
    assert abs(contours.across[column]) < 0.1
    assert abs(contours.up[row]) < 0.1


def test_importing_the_room_imports_no_matplotlib() -> None:
    import subprocess
    import sys

    code = "import sys, vaelab.plotting; assert 'matplotlib' not in sys.modules and 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
