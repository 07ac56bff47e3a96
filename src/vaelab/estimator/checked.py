"""What comes in, held against what was fitted, and what goes out, of the kind that was fitted."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.estimator.arguments import label_number, label_numbers
from vaelab.estimator.views import fitted_data
from vaelab.generating.sampling import check_label
from vaelab.labels import check_conditional
from vaelab.language import translated
from vaelab.model import Model
from vaelab.runs import Run
from vaelab.training import TrainingData

Images = Shaped[np.ndarray, "n ..."]

ArrayLike = Any
"""What scikit-learn makes an array of: arrays, lists, data frames."""


class Checked(BaseEstimator):
    """The doors of the estimator. Each part of `VAE` stands on it, and asks it for arrays of the model's own kind."""

    model_: Model
    config_: Config
    image_shape_: tuple[int, ...]
    prior_name_: str
    _kind: np.dtype  # uint8 or float32: of what was fitted
    _training: TrainingData | None
    _origin: Run | None  # the run that it was loaded from

    def _array(self, X: Any, *, fitting: bool = False, name: str = "X") -> np.ndarray:
        """X as a numpy array of numbers; scikit-learn's own words for what it cannot be, in one line."""
        checks: dict[str, Any] = {"dtype": "numeric", "allow_nd": True, "ensure_all_finite": False}
        try:
            # flat rows are scikit-learn's: it counts their features, and names them
            if fitting or (name == "X" and len(self.image_shape_) == 1):
                found: Any = validate_data(self, X, reset=fitting, ensure_min_samples=2 if fitting else 1, **checks)
            else:
                found = check_array(X, estimator=self, input_name=name, **checks)
            return found
        except ValueError as error:
            first, *more = str(error).splitlines()  # the others show the array
            told = f"{name}: {first.rstrip(':')}" if more else str(error)
            if more and "Expected" in first:
                told = translated(
                    "{told}. Reshape your data: images are (n, features), (n, H, W) or (n, H, W, C)", told=told
                )
            raise VaelabError(told) from None

    def _training_data(self) -> tuple[np.ndarray, np.ndarray | None]:
        """What was fitted; for a loaded run its data set, read again, or the sample that it keeps."""
        check_is_fitted(self)
        found = getattr(self, "_training", None)
        if found is None:
            assert self._origin is not None
            dataset = fitted_data(self).dataset
            found = self._training = TrainingData.from_dataset(dataset, self.config_.data)
        return found.images, found.labels

    def _seen(self, X: Any) -> tuple[np.ndarray, np.dtype]:
        """X checked against what was fitted, and the floating-point type that answers have."""
        check_is_fitted(self)
        given = getattr(X, "dtype", None)
        images = self.model_.image_spec.taken(self._array(X), "X")
        return images, np.dtype(np.float64) if given == np.float64 else np.dtype(np.float32)

    def _given(self, y: Any, count: int) -> Int[np.ndarray, " n"] | int | None:
        """Labels of images or latents by their numbers: one for each, or one for all.

        Raises:
            VaelabError: where the model sees labels and there are none, or it sees none and there are some; for one that it does not know.
        """
        if y is None:
            if self.model_.is_conditional:
                raise VaelabError(
                    translated(
                        "y: this model sees labels (condition='labels'), and images are encoded and decoded given theirs; where none "
                        "are known, give y=vae.predict(X)"
                    )
                )
            return None
        check_conditional(self.model_)
        if np.ndim(y) == 0:
            return self._label_number(y)
        numbers = label_numbers(y, self._names(), count)
        for label in np.unique(numbers).tolist():
            check_label(self.model_, label, self._names())
        return numbers

    def _names(self) -> tuple[str, ...] | None:
        names = getattr(self, "label_names_", None)
        return None if names is None else tuple(map(str, names.tolist()))

    def _label_number(self, y: Any) -> int:
        names = self._names()
        number = label_number(y, names)
        check_label(self.model_, number, names)
        return number

    def _as_fitted(self, images: Float[np.ndarray, "n ..."]) -> Images:
        """Model images as the kind that was fitted: uint8 for uint8."""
        if self._kind == np.uint8:
            return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)
        return images
