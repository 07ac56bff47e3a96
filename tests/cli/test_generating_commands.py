"""The commands that look and generate, in-process: what they write, and the one line that bad input gets."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.in_process import Command, arrays_of, command_on
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.generating import decode, encode
from vaelab.model_file import load_model
from vaelab.runs import Run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few_digits: Dataset) -> Command:
    return command_on(few_digits, monkeypatch, tmp_path)


def test_plot_writes_where_it_says(command: Command, tiny_run: Run) -> None:
    printed = command("plot", tiny_run.folder, "loss", "manifold", "--style", "tutorial", "--out", "here")
    assert printed.split() == ["here/loss.png", "here/manifold-tutorial.png"]
    with Image.open("here/manifold-tutorial.png") as picture:
        assert picture.size == (1000, 1000)


def test_sample_as_sheet_arrays_and_folder(command: Command, tiny_run: Run) -> None:
    assert "samples.png: 9 samples" in command("sample", tiny_run.folder, "-n", 9)
    assert Path("samples.png").is_file()
    command("sample", tiny_run.folder, "-n", 5, "--out", "s.npz", "--seed", 3)
    arrays = arrays_of("s.npz")
    assert arrays["images"].shape == (5, 28, 28)
    assert np.allclose(decode(load_model(tiny_run), arrays["z"]), arrays["images"])
    command("sample", tiny_run.folder, "-n", 5, "--out", "folder")
    assert len(list(Path("folder").glob("*.png"))) == 5
    command("sample", tiny_run.folder, "-n", 5, "--out", "p.npz", "--pixels")
    assert set(np.unique(arrays_of("p.npz")["images"])) <= {0.0, 1.0}


def test_encode_decode_and_reconstruct_agree(command: Command, tiny_run: Run, few_digits: Dataset) -> None:
    assert "200 images of mnist, with labels" in command("encode", tiny_run.folder, "--seed", 5)
    encoded = arrays_of("z.npz")
    assert set(encoded) == {"mean", "log_variance", "draw", "seed", "labels"}
    assert encoded["seed"] == 5
    expected = encode(load_model(tiny_run), few_digits.test.images, seed=5)
    assert np.array_equal(encoded["mean"], expected.mean)
    assert np.array_equal(encoded["draw"], expected.draw)
    assert few_digits.test.labels is not None
    assert np.array_equal(encoded["labels"], few_digits.test.labels)
    assert "'mean' of z.npz" in command("decode", tiny_run.folder, "z.npz")
    command("reconstruct", tiny_run.folder, "--out", "r.npz")
    assert np.allclose(arrays_of("images.npz")["images"], arrays_of("r.npz")["images"], atol=1e-6)
    assert "50 images of mnist" in command("reconstruct", tiny_run.folder)
    assert Path("reconstructions.png").is_file()


def test_one_image_file_is_one_image(command: Command, tiny_run: Run, few_digits: Dataset) -> None:
    Image.fromarray(few_digits.test.images[0]).save("seven.png")
    command("encode", tiny_run.folder, "seven.png")
    assert np.allclose(
        arrays_of("z.npz")["mean"], encode(load_model(tiny_run), few_digits.test.images[:1]).mean, atol=1e-6
    )


def test_interpolate_goes_from_one_image_to_the_other(command: Command, tiny_run: Run, few_digits: Dataset) -> None:
    command("interpolate", tiny_run.folder, "--between", "test:3", "label:7", "--steps", 5, "--out", "i.npz")
    arrays = arrays_of("i.npz")
    first = encode(load_model(tiny_run), few_digits.test.images[3:4]).mean[0]
    assert arrays["images"].shape == (5, 28, 28)
    assert np.allclose(arrays["z"][0], first, atol=1e-6)
    assert np.allclose(np.diff(arrays["z"], axis=0), (arrays["z"][-1] - arrays["z"][0]) / 4, atol=1e-5)
    command("interpolate", tiny_run.folder, "--between", "label:0", "label:1", "--spherical")
    with Image.open("strip.png") as picture:
        assert picture.width > 10 * picture.height


def test_inpaint_keeps_what_is_visible(command: Command, tiny_run: Run, few_digits: Dataset) -> None:
    mask = np.zeros((28, 28), np.uint8)
    mask[14:] = 255
    Image.fromarray(mask).save("mask.png")
    for way in ("mask.png", "0,14,28,14"):
        printed = command("inpaint", tiny_run.folder, "--mask", way, "-n", 2, "--draws", 3, "--out", f"{len(way)}.npz")
        assert "2 images of" in printed
        assert "of the 3 draws of each at least" in printed
    arrays, same = arrays_of("8.npz"), arrays_of("10.npz")
    assert arrays["images"].shape == (2, 3, 28, 28)
    top = few_digits.test.images[:2, None, :14] / np.float32(255)
    np.testing.assert_allclose(arrays["images"][:, :, :14], np.repeat(top, 3, axis=1), atol=1e-6)
    np.testing.assert_array_equal(arrays["images"], same["images"])
    command("inpaint", tiny_run.folder, "--mask", "0,14,28,14", "-n", 2)
    assert Path("inpainted.png").is_file()


def test_denoise_draws_several_pictures(command: Command, tiny_run: Run) -> None:
    assert "denoised.png: 2 images of" in command("denoise", tiny_run.folder, "--add", "-n", 2)
    command("denoise", tiny_run.folder, "--sigma", 0.4, "--add", "-n", 2, "--draws", 4, "--out", "d.npz")
    arrays = arrays_of("d.npz")
    assert arrays["images"].shape == (2, 4, 28, 28)
    assert arrays["noisy"].min() < 0.0
    np.save("noisy.npy", arrays["noisy"])  # out of [0, 1], as noise leaves it
    command("denoise", tiny_run.folder, "noisy.npy", "--sigma", 0.4, "--draws", 4, "--out", "again.npz")
    np.testing.assert_array_equal(arrays_of("again.npz")["images"], arrays["images"])


def test_the_demo_stands_on_two_runs(
    command: Command, tiny_run: Run, tiny_autoencoder_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaelab.cli.demo_autoencoder.COUNTED", 100)
    command("demo", "autoencoder", "--runs", tiny_autoencoder_run.folder, tiny_run.folder, "--out", "a.svg")
    assert Path("a.svg").read_text().count("<image") >= 4  # two planes of points, two sheets of digits
    with pytest.raises(VaelabError, match="an autoencoder's run, then a VAE's"):
        command("demo", "autoencoder", "--runs", tiny_run.folder, tiny_autoencoder_run.folder)


@pytest.mark.parametrize("name", ["sample", "encode", "reconstruct"])
def test_an_output_that_exists_is_kept_unless_told(name: str, command: Command, tiny_run: Run) -> None:
    Path("out.npz").write_bytes(b"precious")
    with pytest.raises(VaelabError, match=r"out\.npz: exists already.*--overwrite"):
        command(name, tiny_run.folder, "--out", "out.npz")
    assert Path("out.npz").read_bytes() == b"precious"
    command(name, tiny_run.folder, "--out", "out.npz", "--overwrite")
    assert Path("out.npz").stat().st_size > 100


def test_an_autoencoder_is_not_sampled(command: Command, tiny_autoencoder_run: Run) -> None:
    with pytest.raises(VaelabError, match=r"no prior to sample from.*vaelab fit-prior .* mixture"):
        command("sample", tiny_autoencoder_run.folder)
    assert not Path("samples.png").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["inpaint", "RUN"], "--mask: expected a file, or a rectangle such as 7,7,14,14; found none"),
        (["inpaint", "RUN", "--mask", "1,2,x,4"], "whole pixels, such as 7,7,14,14; found '1,2,x,4'"),
        (["inpaint", "RUN", "--mask", "20,20,14,14"], "leaves the image, which is 28 wide and 28 high"),
        (["inpaint", "RUN", "--mask", "0,0,28,28"], "the mask hides everything"),
        (["inpaint", "RUN", "--mask", "0,0,0,0"], "the mask hides nothing"),
        (["inpaint", "RUN", "--mask", "none.png"], "no such image file: none.png"),
        (["denoise", "RUN", "--sigma", "0"], "sigma: expected the standard deviation of the noise, above 0"),
        (["denoise", "RUN", "--sigma", "inf"], "above 0 and finite"),
        (
            ["denoise", "RUN", "noisy.npy", "--sigma", "0.01"],
            "of noise with sigma = 0.01 on what this model was fitted on they lie from",
        ),
        (["sample", "RUN", "--label", "7"], "does not know of labels"),
        (["sample", "RUN", "--label", "seven"], "no such label"),
        (["sample", "RUN", "--out", "s.jpg"], r"ending in \.png or \.npz"),
        (["sample", "RUN", "--temperature", "-1"], "positive"),
        (["sample", "nowhere"], "no run there"),
        (["encode", "RUN", "--out", "z.png"], r"ending in \.npz"),
        (["decode", "RUN", "nothing.npz"], "no such file"),
        (["decode", "RUN", "wrong.npz"], r"\(n, 2\) for this model; found \(3, 5\)"),
        (["interpolate", "RUN", "--between", "label:3", "label:x"], "no such label"),
        (["interpolate", "RUN", "--between", "label:3", "test:9999"], "from 0 to 199"),
        (["plot", "RUN", "latnet"], "did you mean 'latent'"),
        (["plot", "RUN", "--format", "gif"], "png, svg"),
        (["demo", "autoencoder", "--out", "a.txt"], "ending in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(words: list[str], complaint: str, command: Command, tiny_run: Run) -> None:
    np.savez("wrong.npz", z=np.zeros((3, 5)))
    np.save("noisy.npy", np.full((2, 28, 28), 1.7, np.float32))
    with pytest.raises(VaelabError, match=complaint) as caught:
        command(*(tiny_run.folder if word == "RUN" else word for word in words))
    assert "\n" not in str(caught.value)
