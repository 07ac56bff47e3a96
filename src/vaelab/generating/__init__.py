"""What a trained model makes of images and of points in its latent space: NumPy in, NumPy out, batched and compiled."""

from vaelab.generating.checking import check_images, check_latents
from vaelab.generating.coding import Encoded, decode, draw_pixels, encode, log_likelihoods, reconstruct
from vaelab.generating.interpolation import path_between
from vaelab.generating.sampling import Drawn, can_sample, sample_latents, sampled

__all__ = [
    "Drawn",
    "Encoded",
    "can_sample",
    "check_images",
    "check_latents",
    "decode",
    "draw_pixels",
    "encode",
    "log_likelihoods",
    "path_between",
    "reconstruct",
    "sample_latents",
    "sampled",
]
