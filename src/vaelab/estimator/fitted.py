"""What the files beside `vae.py` are handed: a fitted estimator, whose attributes they ask for without knowing its class."""

from typing import Any

FittedVAE = Any
"""A `VAE` after `fit` or `load`."""
