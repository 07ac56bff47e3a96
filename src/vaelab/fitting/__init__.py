"""Latents in, a prior out: priors fitted after training."""

from vaelab.fitting.fit import fit_prior
from vaelab.fitting.fitted import FittedPrior
from vaelab.fitting.names import default_name, kinds

__all__ = ["FittedPrior", "default_name", "fit_prior", "kinds"]
