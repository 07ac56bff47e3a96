"""Latents in, a prior out: priors fitted after training."""

from vaelab.fitting.fit import fit_prior
from vaelab.fitting.fitted import FittedPrior
from vaelab.fitting.names import KINDS, Kind, default_name

__all__ = ["KINDS", "FittedPrior", "Kind", "default_name", "fit_prior"]
