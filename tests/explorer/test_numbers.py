"""Every figure on the page is the quantity that its name says, as Python computes it: on ten images and at ten points."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from explorer.local_server import Serving
from explorer.test_browser import Page
from vaelab.evaluation.elbo import elbo_of
from vaelab.explorer.bundle import Bundle, density_quantiles
from vaelab.explorer.explored import Explored
from vaelab.fitting import fit_prior
from vaelab.generating import Encoded

TEN = range(0, 600, 60)


@pytest.fixture(scope="module")
def with_mixture(bundle: Bundle) -> Explored:
    """The digits with a mixture of full Gaussians fitted to their latents, beside the prior that was trained."""
    explored = bundle.explored[0]
    fitted = fit_prior(explored.model, explored.images, "mixture", components=4)
    mixed = eqx.tree_at(lambda model: model.prior, explored.model, fitted.prior)
    return replace(explored, priors={**explored.priors, "mixture": mixed})


@pytest.fixture(scope="module")
def its_bundle(with_mixture: Explored, bundle: Bundle) -> Bundle:
    return Bundle((with_mixture, bundle.explored[1]))


@pytest.fixture(scope="module")
def numbers_address(its_bundle: Bundle) -> Iterator[str]:
    with Serving(its_bundle) as found:
        yield found


@pytest.fixture
def page(chromium, numbers_address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", color_scheme="light")
    opened = Page(context.new_page()).open(f"{numbers_address}#lang=en&theme=light")
    yield opened
    context.close()
    assert opened.faults == []


READ = """
async (what) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const found = [];
  for (const one of what) {
    vaelabExplorer.update({ pinned: typeof one === "number" ? { image: one } : { z: Float32Array.from(one) } });
    await frame();
    await frame();
    const numbers = [...document.querySelectorAll(".vx-numbers dd")].map((dd) => dd.textContent);
    const meter = document.querySelector(".vx-meter").getAttribute("aria-valuenow");
    found.push({ numbers, meter: Number(meter), caption: document.querySelector(".vx-nearest + figcaption").textContent });
  }
  return found;
}
"""


def nats(words: str) -> float:
    """The number that a text begins with, whole or as a power of ten."""
    powers = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
    value, _, power = words.translate(powers).removesuffix(" nats").partition(" × 10")
    return float(value) * 10.0 ** float(power or 0)


def log_aggregate(encoded: Encoded, places: np.ndarray, without: np.ndarray | None = None) -> np.ndarray:
    """log q(z) of the average posterior, one image left out at each place where asked."""
    assert encoded.log_variance is not None
    spread = np.exp(0.5 * encoded.log_variance)
    each = norm.logpdf(places[:, None], encoded.mean[None], spread[None]).sum(axis=2)
    count = len(encoded.mean)
    if without is not None:
        each[np.arange(len(places)), without] = -np.inf
        count -= 1
    return logsumexp(each, axis=1) - np.log(count)


def test_ten_points(page: Page, with_mixture: Explored):
    points = np.random.default_rng(1).normal(size=(10, 2)).astype(np.float32) * 1.3
    encoded = with_mixture.encoded
    expected = log_aggregate(encoded, points)
    own = log_aggregate(encoded, encoded.mean, np.arange(len(encoded.mean)))
    for name, model in with_mixture.priors.items():
        page.page.evaluate(f"vaelabExplorer.choosePrior({list(with_mixture.priors).index(name)})")
        found = page.page.evaluate(READ, points.tolist())
        density = model.prior_density()
        for point, log_q, one in zip(points, expected, found, strict=True):
            assert nats(one["numbers"][1]) == pytest.approx(float(density.log_prob(jnp.asarray(point))), abs=0.006)
            assert nats(one["numbers"][2]) == pytest.approx(log_q, abs=0.006)
            # of the images' own means, each left out of its own average, so many lie in emptier places
            assert one["meter"] == pytest.approx(100 * np.mean(own < log_q), abs=1.6)


def test_ten_images(page: Page, with_mixture: Explored):
    images = np.array(TEN)
    encoded = with_mixture.encoded
    own = log_aggregate(encoded, encoded.mean, np.arange(len(encoded.mean)))
    found = page.page.evaluate(READ, images.tolist())
    for image, one in zip(images, found, strict=True):
        assert f"Pinned test image {image} ·" in one["caption"]
        assert nats(one["numbers"][2]) == pytest.approx(own[image], abs=0.006)
        assert one["meter"] == pytest.approx(100 * np.mean(own < own[image]), abs=1.6)
    assert "log q(z) without it" in page.page.locator(".vx-numbers").inner_text()
    page.tab("Compare")
    page.until("vaelabExplorer.state.second !== null")
    # The same number in both places.
    row = page.page.locator(".vx-table tr").filter(has_text="log q(z) without it").locator("td")
    assert nats(row.nth(0).inner_text()) == pytest.approx(own[images[-1]], abs=0.006)


def drawn_score(page: Page, image: np.ndarray, prior: str) -> tuple[float, float, float, float]:
    """What the page says of a drawing: negative ELBO, its error, reconstruction, KL."""
    pixels = json.dumps((image.ravel() / 255).astype(float).tolist())
    page.page.evaluate(
        f"""(async () => {{
          vaelabExplorer.update({{ drawing: null }});
          while (document.querySelector(".vx-draw .vx-words").textContent) await new Promise((done) => requestAnimationFrame(done));
          const image = Float32Array.from({pixels});
          const {{ mean, log_variance: logVariance }} = await vaelabExplorer.encode(image);
          vaelabExplorer.update({{ drawing: {{ image, mean, logVariance, z: mean }} }});
        }})()"""
    )
    page.until(f"/Negative ELBO.*{prior}/.test(document.querySelector('.vx-draw .vx-words').textContent)")
    words = page.page.locator(".vx-draw .vx-words").inner_text().replace("−", "-")
    found = re.search(r"ELBO (\S+)(?: ± (\S+))? nats = reconstruction (\S+) \+ KL (\S+)\.", words)
    assert found, words
    return tuple(float(one or 0) for one in found.groups())  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("prior", ["trained", "mixture"])
def test_the_negative_elbo_of_ten_drawn_images(page: Page, with_mixture: Explored, prior: str):
    """The expectation over the posterior, not the cost at its mean, which can lie below -log p(x); of the prior that is chosen."""
    page.page.evaluate(f"vaelabExplorer.choosePrior({list(with_mixture.priors).index(prior)})")
    model = with_mixture.priors[prior]
    parts = elbo_of(model, with_mixture.images[list(TEN)])
    for place, image in enumerate(TEN):
        total, error, cost, rate = drawn_score(page, with_mixture.images[image], prior)
        assert error == 0
        assert total == pytest.approx(-float(parts.elbo[place]), abs=0.15)
        assert cost == pytest.approx(float(parts.reconstruction[place]), abs=0.15)
        assert rate == pytest.approx(float(parts.kl[place]), abs=0.05)


def test_beyond_two_dimensions_it_is_an_average_with_its_error(chromium, bundle: Bundle):
    explored = bundle.explored[1]
    parts = elbo_of(explored.model, explored.images[:5])
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(Bundle((explored,))) as address:
        page = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
        for place in range(5):
            total, error, _, rate = drawn_score(page, explored.images[place], "")
            assert 0 < error < 2
            apart = np.hypot(error, float(parts.standard_error[place]))
            assert abs(total + float(parts.elbo[place])) < 4 * apart + 0.1
            assert rate == pytest.approx(float(parts.kl[place]), abs=0.02)
        assert page.faults == []
    context.close()


def test_the_bound_lies_above_the_exact_value_and_both_name_the_image(page: Page, with_mixture: Explored):
    """Their difference is the KL that the page gives beside the exact posterior."""
    total, *_ = drawn_score(page, with_mixture.images[60], "")
    page.layer("Exact posterior")
    page.until("/The drawing: KL/.test(document.querySelector('.vx-gap')?.textContent ?? '')")
    words = page.page.locator(".vx-gap").inner_text()
    found = re.search(r"p\(z\|x\)\) = ([\d.]+) nats.*log p\(x\) = ([\d.]+) nats", words)
    assert found, words
    gap, exact = map(float, found.groups())
    assert total == pytest.approx(exact + gap, abs=0.15)
    page.page.evaluate("vaelabExplorer.update({ pinned: { image: 60 } })")
    page.until("/Test image 60: KL/.test(document.querySelector('.vx-gap')?.textContent ?? '')")


def test_losses_are_of_the_epoch_shown_and_say_of_which_images(page: Page, with_mixture: Explored):
    words = page.page.locator(".vx-losses").inner_text()
    last = with_mixture.metrics[-1]
    assert f"in training: loss\u00a0{last['loss']:.1f}" in words
    assert f"validation\u00a0{last['val_loss']:.1f}" in words
    page.page.evaluate("vaelabExplorer.update({ epoch: 0 })")
    page.until("vaelabExplorer.state.epoch === 0")
    assert with_mixture.snapshots[0].epoch == 0
    words = page.page.locator(".vx-losses").inner_text()
    assert "before the first step" in words
    assert "loss\u00a0" not in words
    assert "over the test images" in page.page.locator(".vx-bars h2").inner_text()


def test_compare_is_at_the_epoch_shown(page: Page, with_mixture: Explored):
    page.page.evaluate("vaelabExplorer.update({ tab: 'compare', other: { run: 0, prior: 1 }, epoch: 1 })")
    page.until("vaelabExplorer.state.second !== null && vaelabExplorer.state.epoch === 1")
    snapshot = with_mixture.snapshots[1]
    means, spread = snapshot.means.astype(np.float64), np.asarray(snapshot.log_variances, np.float64)
    kl = 0.5 * (np.exp(spread) + means**2 - 1 - spread).sum(axis=1).mean()
    cells = page.page.locator(".vx-table tr").filter(has_text="mean KL to N(0, I)").locator("td")
    assert [nats(cells.nth(place).inner_text()) for place in (0, 1)] == pytest.approx([kl, kl], abs=0.01)
    record = next(one for one in with_mixture.metrics if one["epoch"] == snapshot.epoch)
    cells = page.page.locator(".vx-table tr").filter(has_text="validation loss").locator("td")
    assert nats(cells.nth(0).inner_text()) == pytest.approx(record["val_loss"], abs=0.051)


def test_on_the_way_from_one_point_to_another(page: Page, with_mixture: Explored):
    ends = np.array([[-1.0, 0.4], [0.8, 1.2]], np.float32)
    a, b = (f"Float32Array.from({end.tolist()})" for end in ends)
    page.page.evaluate(f"vaelabExplorer.update({{ tab: 'interpolate', along: 0.25, ends: {{ a: {a}, b: {b} }} }})")
    page.until("vaelabExplorer.state.look.by === 'way'")
    z = 0.75 * ends[0] + 0.25 * ends[1]
    words = page.page.locator(".vx-panel:not([hidden])").inner_text().replace("−", "-")
    found = re.search(r"‖z‖ (\S+) · log p\(z\) (\S+) · log q\(z\) (\S+)", words)
    assert found, words
    expected = [
        np.linalg.norm(z),
        float(with_mixture.model.prior_density().log_prob(jnp.asarray(z))),
        log_aggregate(with_mixture.encoded, z[None])[0],
    ]
    np.testing.assert_allclose([float(one) for one in found.groups()], expected, atol=0.006)


def test_far_from_everything_a_density_is_a_power_of_ten(page: Page):
    page.page.evaluate("vaelabExplorer.pin(Float32Array.from([40000, 0]))")
    page.until("vaelabExplorer.state.look.z[0] === 40000")
    words = page.page.locator(".vx-numbers dd").nth(2).inner_text()
    assert re.fullmatch(r"−\d\.\d × 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+ nats", words), words


def test_means_are_ranked_among_means():
    """At 40 dimensions an image's mean lies denser than most draws, whatever the image: ranked among them it says nothing."""
    generator = np.random.default_rng(3)
    active = np.arange(40) < 20
    log_variance = np.where(active, np.log(0.1), -1e-3) * np.ones((1500, 1))
    mean = np.where(active, np.sqrt(0.9), 1e-3) * generator.normal(size=(1500, 40))
    draw = mean + np.exp(0.5 * log_variance) * generator.normal(size=mean.shape)
    encoded = Encoded(*(array.astype(np.float32) for array in (mean, log_variance, draw)))
    own = log_aggregate(encoded, encoded.mean, np.arange(1500))
    among_draws, among_means = (
        np.searchsorted(np.array(density_quantiles(encoded, places), np.float64), own)
        for places in (encoded.draw, encoded.mean)
    )
    assert np.mean(among_draws) > 70
    assert np.mean(among_means) == pytest.approx(50, abs=1)
    assert np.quantile(among_means, [0.1, 0.9]) == pytest.approx([10, 90], abs=2)
