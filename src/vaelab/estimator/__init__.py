"""`VAE`: a variational autoencoder as a scikit-learn estimator; saving it, its figures, going on with it."""

from vaelab.estimator.vae import VAE, load

__all__ = ["VAE", "load"]
