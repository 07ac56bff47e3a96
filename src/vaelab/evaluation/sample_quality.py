"""How good generated images are, judged by a named feature network, and the floor that real images reach."""

import dataclasses
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int, Num

from vaelab.errors import VaelabError
from vaelab.evaluation.feature_distances import frechet_distance, kernel_distance
from vaelab.evaluation.feature_neighbours import centred_radii, neighbour_figures
from vaelab.evaluation.feature_networks import FeatureNetwork
from vaelab.evaluation.figure import Figure
from vaelab.evaluation.neighbours import Memorisation, memorisation
from vaelab.language import translated


@dataclasses.dataclass(frozen=True)
class SampleQuality:
    """The figures of `sample_quality`. None of them is comparable with one made with another network, layer or number
    of images.

    - `network`, `layer`, `digest`: what made the features
    - `samples`, `reference`: how many images were compared
    - `frechet_distance`: `frechet_distance` of the features; smaller is better, biased upwards
    - `kernel_distance`: `kernel_distance`; smaller is better, unbiased
    - `precision`, `recall`, `density`, `coverage`: `neighbour_figures`; larger is better
    - `class_histogram`, `reference_class_histogram`: shares of the classes the network finds; `None` where it names
      none
    - `class_entropy`, `reference_class_entropy`: entropies of these, nats
    - `memorisation`: distances to the training images; `None` where none were given
    - `figure_name`: `frechet_digit_distance` for the packaged digit classifier, `frechet_feature_distance` for any
      other
    """

    network: str
    layer: str
    digest: str
    samples: int
    reference: int
    seed: int
    figure_name: str
    frechet_distance: Figure
    kernel_distance: Figure
    precision: Figure
    recall: Figure
    density: Figure
    coverage: Figure
    class_histogram: Float64[np.ndarray, " class"] | None
    class_entropy: Figure | None
    reference_class_histogram: Float64[np.ndarray, " class"] | None
    reference_class_entropy: Figure | None
    memorisation: Memorisation | None

    def as_dict(self) -> dict[str, object]:
        """Everything for JSON: figures as {"value", "standard_error", "over", "n"}, the features named beside them."""
        features = {"network": self.network, "layer": self.layer, "digest": self.digest}
        result: dict[str, object] = {
            "features": features,
            "samples": self.samples,
            "reference": self.reference,
            "seed": self.seed,
            self.figure_name: dataclasses.asdict(self.frechet_distance),
        }
        for name in (
            "kernel_distance",
            "precision",
            "recall",
            "density",
            "coverage",
            "class_entropy",
            "reference_class_entropy",
        ):
            figure = getattr(self, name)
            result[name] = None if figure is None else dataclasses.asdict(figure)
        for name in ("class_histogram", "reference_class_histogram"):
            histogram = getattr(self, name)
            result[name] = None if histogram is None else histogram.tolist()
        if self.memorisation is None:
            result["memorisation"] = None
        else:
            fields = dataclasses.fields(self.memorisation)
            figures = {
                field.name: getattr(self.memorisation, field.name) for field in fields if field.name != "nearest"
            }
            result["memorisation"] = {name: dataclasses.asdict(figure) for name, figure in figures.items()}
        return result


def sample_quality(
    samples: Num[np.ndarray, "sample ..."],
    reference: Num[np.ndarray, "image ..."],
    *,
    features: FeatureNetwork,
    training_images: Num[np.ndarray, "training ..."] | None = None,
    memorisation_images: int = 2000,
    resamples: int = 50,
    seed: int = 0,
) -> SampleQuality:
    """Compare `samples` with `reference` images under a feature network.

    For a VAE the samples are decoder means and the reference grey test images, 10,000 of each: a draw from a Bernoulli
    likelihood is noise that no image has.

    **Arguments:**

    - `samples`, `reference`: uint8, or floats in [0, 1], of shape (n, height, width) or (n, height, width, channels)
    - `features`: `digit_classifier()` for MNIST; for other data `classifier_network(train_classifier(images, labels),
      ...)` or a `FeatureNetwork` of your own
    - `training_images`: what the model was trained on, for the nearest training image of each sample
    - `memorisation_images`: how many samples and reference images, the first ones, are compared with the training
      images; 2,000 of each against 60,000 take seconds, all 10,000 about a minute
    - `resamples`: bootstrap draws for the error of the Fréchet distance (0: none)
    - `seed`: of the bootstrap and of the kernel distance's blocks

    **Raises:** `VaelabError` for images of another shape or range than the network reads, and for too few of them (20).
    """
    if training_images is not None and memorisation_images < 1:
        raise VaelabError(
            translated(
                "memorisation_images must be 1 or more; got {memorisation_images}. Leave training_images out to "
                "skip this check.",
                memorisation_images=memorisation_images,
            )
        )
    found = _quality(
        _Featured.of(samples, features, "samples"), _Featured.of(reference, features, "reference"), resamples, seed
    )
    if training_images is None:
        return found
    copies = memorisation(samples[:memorisation_images], reference[:memorisation_images], training_images)
    return dataclasses.replace(found, memorisation=copies)


def quality_floor(
    training_images: Num[np.ndarray, "training ..."],
    reference: Num[np.ndarray, "image ..."],
    *,
    features: FeatureNetwork,
    samples: int | None = None,
    resamples: int = 50,
    seed: int = 0,
) -> SampleQuality:
    """The figures of `sample_quality` for real training images in the place of samples: what no model is expected to
    beat.

    `samples` of the `training_images` are drawn by `seed`, as many as there are reference images unless said otherwise.
    """
    count = min(len(reference), len(training_images)) if samples is None else samples
    return sample_quality(
        drawn_images(training_images, count, seed), reference, features=features, resamples=resamples, seed=seed
    )


class JudgedSamples:
    """Sets of images that are compared with one reference, whose features are taken once."""

    def __init__(self, reference: Num[np.ndarray, "image ..."], features: FeatureNetwork):
        self._reference = _Featured.of(reference, features, "reference")

    def quality(self, samples: Num[np.ndarray, "sample ..."], *, resamples: int = 50, seed: int = 0) -> SampleQuality:
        """As `sample_quality`, without memorisation."""
        ours = _Featured.of(samples, self._reference.network, "samples")
        return _quality(ours, self._reference, resamples, seed)


def drawn_images(images: Num[np.ndarray, "training ..."], count: int, seed: int) -> Num[np.ndarray, "drawn ..."]:
    """So many of the images, drawn by `seed`, in their own order."""
    if not 0 < count <= len(images):
        raise VaelabError(
            translated(
                "samples={count} cannot be drawn from {images} training images; ask for fewer.",
                count=count,
                images=len(images),
            )
        )
    return images[np.sort(np.random.default_rng(seed).choice(len(images), count, replace=False))]


class _Featured:
    """Images as a feature network sees them."""

    def __init__(self, network: FeatureNetwork, features: np.ndarray, classes: np.ndarray | None, name: str):
        self.network, self.features, self.classes, self.name = network, features, classes, name

    @classmethod
    def of(cls, images: Num[np.ndarray, "image ..."], network: FeatureNetwork, name: str) -> "_Featured":
        return cls(network, *network.described(images, name), name)

    @cached_property
    def radii(self) -> Float64[np.ndarray, "neighbour image"]:
        return centred_radii(self.features)

    @cached_property
    def class_histogram(self) -> tuple[Float64[np.ndarray, " class"] | None, Figure | None]:
        if self.classes is None:
            return None, None
        return _class_histogram(self.classes, self.network.class_count or 0, self.name)


def _quality(ours: _Featured, reference: _Featured, resamples: int, seed: int) -> SampleQuality:
    if min(len(ours.features), len(reference.features)) < 20:
        raise VaelabError(
            translated(
                "sample quality needs 20 images or more of each; got {features} samples and {features_2} "
                "reference images.",
                features=len(ours.features),
                features_2=len(reference.features),
            )
        )
    neighbours = neighbour_figures(ours.features, reference.features, reference_radii=reference.radii)
    histogram, entropy = ours.class_histogram
    reference_histogram, reference_entropy = reference.class_histogram
    network = ours.network
    return SampleQuality(
        network=network.name,
        layer=network.layer,
        digest=network.digest,
        samples=len(ours.features),
        reference=len(reference.features),
        seed=seed,
        figure_name=network.figure_name,
        frechet_distance=frechet_distance(ours.features, reference.features, resamples=resamples, seed=seed),
        kernel_distance=kernel_distance(ours.features, reference.features, seed=seed),
        precision=neighbours.precision,
        recall=neighbours.recall,
        density=neighbours.density,
        coverage=neighbours.coverage,
        class_histogram=histogram,
        class_entropy=entropy,
        reference_class_histogram=reference_histogram,
        reference_class_entropy=reference_entropy,
        memorisation=None,
    )


def class_entropy(histogram: Float64[np.ndarray, " class"]) -> float:
    """-sum_c p_c log p_c of the shares p_c, in nats: 0 for one class, log C for C equal ones."""
    present = histogram[histogram > 0]
    return max(float(-(present * np.log(present)).sum()), 0.0)


def _class_histogram(
    classes: Int[np.ndarray, " image"], class_count: int, name: str
) -> tuple[Float64[np.ndarray, " class"], Figure]:
    counts = np.bincount(classes, minlength=class_count)
    shares = counts / len(classes)
    # the delta method: the entropy's error is the spread of -log p over images
    entropy = class_entropy(shares)
    present = shares > 0
    spread = float((shares[present] * (np.log(shares[present]) + entropy) ** 2).sum())
    return shares, Figure(entropy, float(np.sqrt(spread / len(classes))), name, len(classes))
