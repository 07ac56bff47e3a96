"""Images to latents and back, images of nothing, and images of which only a part is known."""

from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from vaelab.estimator.arguments import label_numbers, whole_number
from vaelab.estimator.checked import ArrayLike, Checked, Images
from vaelab.estimator.possible import denoised, inpainted
from vaelab.generating import check_latents, decode, encode, path_between
from vaelab.generating.inpainting import Possible
from vaelab.generating.sampling import check_label, sampled
from vaelab.labels import check_conditional


class Generating(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Checked):
    """What `VAE` makes of images and of latents."""

    def transform(self, X: ArrayLike, y: Any = None) -> Float[np.ndarray, "n latent"]:
        """The posterior means: the same at every call, and never a draw. With `condition="labels"` given labels y, one for each or one for
        all; where none are known, `transform(X, vae.predict(X))`.

        Raises:
            VaelabError: for images that the model does not take, and with `condition="labels"` without labels or with one that training
                never saw; for labels given to any other model.
        """
        images, kind = self._seen(X)
        return encode(self.model_, images, self._given(y, len(images))).mean.astype(kind)

    def posterior_of(
        self, X: ArrayLike, y: Any = None
    ) -> tuple[Float[np.ndarray, "n latent"], Float[np.ndarray, "n latent"]]:
        """The mean and the standard deviation of q(z|x) for each row; zero deviations for an autoencoder. Labels y as in `transform`."""
        images, kind = self._seen(X)
        encoded = encode(self.model_, images, self._given(y, len(images)))
        if encoded.log_variance is None:
            return encoded.mean.astype(kind), np.zeros_like(encoded.mean, kind)
        return encoded.mean.astype(kind), np.exp(0.5 * encoded.log_variance).astype(kind)

    def inverse_transform(self, Z: ArrayLike, y: Any = None) -> Images:
        """The mean image of p(x|z) for each row of latents, of the kind that was fitted (uint8 if that was). Labels y as in `transform`."""
        check_is_fitted(self)
        z = np.asarray(Z)
        check_latents(self.model_, z, "Z")
        return self._as_fitted(decode(self.model_, z, self._given(y, len(z))))

    def reconstruct(self, X: ArrayLike, y: Any = None, *, as_label: Any = None) -> Images:
        """Each image through its posterior mean and back. With `condition="labels"` given labels y, as in `transform`; `as_label`
        decodes the same latents as another label.
        """
        if as_label is not None:
            check_is_fitted(self)
            check_conditional(self.model_)
        return self.inverse_transform(self.transform(X, y), y if as_label is None else as_label)

    def interpolate(
        self, first: ArrayLike, last: ArrayLike, y: Any = None, *, steps: SupportsIndex = 12, spherical: bool = False
    ) -> Images:
        """`steps` images on the way between two, decoded from the points between their posterior means. With `condition="labels"` within
        the label y, given which both are encoded.

        Raises:
            VaelabError: as `transform`, and for fewer than two steps.
        """
        ends = np.stack([np.asarray(first), np.asarray(last)])
        a, b = self.transform(ends, y)
        spherical = spherical or self.model_.domain == "sphere"
        return self.inverse_transform(
            path_between(a, b, steps=whole_number(steps, "steps"), spherical=spherical),
            y,
        )

    def sample(
        self,
        n_samples: SupportsIndex = 1,
        *,
        y: Any = None,
        balanced: bool = False,
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> Images:
        """`n_samples` images: z drawn from the prior, decoded to their means. With `condition="labels"`, or under a class prior, of the
        label y; `y` may also be one label for each. Without, labels are as frequent as in training, or `balanced`, each equally often.

        Raises:
            VaelabError: for an autoencoder, which has no prior, and a label that the prior does not know.
        """
        check_is_fitted(self)
        seed = int(check_random_state(random_state).randint(2**31))
        count = whole_number(n_samples, "n_samples")
        if y is not None and np.ndim(y) > 0:
            return self._of_labels(label_numbers(y, self._names(), count), seed, temperature)
        label = None if y is None else self._label_number(y)
        drawn = sampled(self.model_, count, seed=seed, label=label, balanced=balanced, temperature=temperature)
        return self._as_fitted(decode(self.model_, drawn.z, drawn.labels if self.model_.is_conditional else None))

    def _of_labels(self, labels: Int[np.ndarray, " n"], seed: int, temperature: float) -> Images:
        """One image of each of these labels, draw i as `sample` makes it."""
        z = np.empty((len(labels), self.model_.latent_dim), np.float32)
        for label in np.unique(labels).tolist():
            check_label(self.model_, label, self._names())
            own = labels == label
            z[own] = sampled(self.model_, len(labels), seed=seed, label=label, temperature=temperature).z[own]
        return self._as_fitted(decode(self.model_, z, labels if self.model_.is_conditional else None))

    def inpaint(
        self, X: ArrayLike, hidden: ArrayLike, y: Any = None, *, draws: SupportsIndex = 5, random_state: Any = None
    ) -> Possible:
        """What each image may have been where `hidden` is True ((height, width), or of an image's shape): `draws` pictures an image, with
        their z, how many are distinct in origin, and log p(visible pixels). Labels y as in `transform`.

        Raises:
            VaelabError: for a mask of another shape, or that hides everything or nothing; for an autoencoder without a fitted prior.
        """
        check_is_fitted(self)
        return inpainted(self, X, hidden, y, draws, int(check_random_state(random_state).randint(2**31)))

    def denoise(
        self, X: ArrayLike, sigma: float, y: Any = None, *, draws: SupportsIndex = 5, random_state: Any = None
    ) -> Possible:
        """What each image may have been before Gaussian noise of standard deviation `sigma` was added, in units of the pixels as the model
        sees them (0 to 1 for uint8): as `inpaint`.

        Raises:
            VaelabError: for a sigma that is not positive, and an autoencoder without a fitted prior.
        """
        check_is_fitted(self)
        return denoised(self, X, sigma, y, draws, int(check_random_state(random_state).randint(2**31)))
