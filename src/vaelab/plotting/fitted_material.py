"""An estimator in memory with what its figures ask for: what `Material` is for a run folder."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from vaelab.config import Config
from vaelab.data import Dataset, Split
from vaelab.generating import Encoded, encode
from vaelab.model import Model
from vaelab.run_data import RunData


class FittedMaterial:
    """A fitted model, its history, and the images that its figures show; no file is read or written.

    - `model`, `prior`: with the prior in place, and its name (`trained`, or the kind of a fitted one)
    - `trained_model`: with the prior that was trained with it
    - `records`: one an epoch, as `metrics.jsonl` has them
    - `data`: what gives the images, called once a figure asks for them; its errors are the figure's
    """

    def __init__(
        self,
        name: str,
        config: Config,
        model: Model,
        trained_model: Model,
        prior: str,
        records: list[dict[str, Any]],
        data_name: str,
        data: Callable[[], RunData],
    ):
        self.name, self.config = name, config
        self.model, self.trained_model, self.prior = model, trained_model, prior
        self.records = records
        self.data_name = data_name
        self._data = data

    @cached_property
    def source(self) -> RunData:
        return self._data()

    @property
    def dataset(self) -> Dataset:
        return self.source.dataset

    @property
    def test(self) -> Split:
        return self.dataset.test

    @cached_property
    def encoded(self) -> Encoded:
        return encode(self.model, self.test.images, self.test.labels)

    @property
    def how_to_sample(self) -> str:
        """What gives an autoencoder something to sample from."""
        return "vae.fit_prior('mixture')"
