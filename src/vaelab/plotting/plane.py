"""Which plane of a latent space of more than two dimensions is shown."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from vaelab.language import translated
from vaelab.plotting.page import latent_name
from vaelab.plotting.quantities import amount


class Plane(NamedTuple):
    """Two directions (orthonormal rows), the names of the axes, and in words how they were chosen ("" for the whole
    space).
    """

    directions: Float[np.ndarray, "plane latent"]
    axis_names: tuple[str, str]
    choice: str

    def project(self, z: Float[np.ndarray, "n latent"]) -> Float[np.ndarray, "n plane"]:
        """The points' coordinates in the plane. N(0, I) stays N(0, I), since nothing is centred."""
        return z @ self.directions.T.astype(z.dtype)


def kl_per_dimension(
    mean: Float32[np.ndarray, "n latent"], log_variance: Float32[np.ndarray, "n latent"]
) -> Float[np.ndarray, " latent"]:
    """KL(q(z_i|x) || N(0, 1)) in nats for each dimension, averaged over the images."""
    variance = np.exp(log_variance.astype(np.float64))
    return 0.5 * (mean.astype(np.float64) ** 2 + variance - 1.0 - log_variance).mean(axis=0)


def plane_of(mean: Float32[np.ndarray, "n latent"], log_variance: Float32[np.ndarray, "n latent"] | None) -> Plane:
    """The whole space in one or two dimensions; else the two dimensions of largest KL; for an autoencoder the first two
    principal axes.
    """
    size = mean.shape[1]
    if size <= 2:
        return Plane(np.eye(size), (latent_name(0), latent_name(1)), "")
    if log_variance is not None:
        divergence = kl_per_dimension(mean, log_variance)
        first, second = np.argsort(-divergence, kind="stable")[:2]
        names = (latent_name(int(first)), latent_name(int(second)))
        choice = translated(
            "{first} and {second}, the two of {size} dimensions with the largest KL",
            first=names[0],
            second=names[1],
            size=size,
        )
        labelled = tuple(
            f"{name}   (KL {amount(float(divergence[place]))} nats)"
            for name, place in zip(names, (first, second), strict=True)
        )
        return Plane(np.eye(size)[[first, second]], (labelled[0], labelled[1]), choice)
    covariance = np.cov(mean.astype(np.float64), rowvar=False)
    variances, vectors = np.linalg.eigh(covariance)
    directions = vectors[:, ::-1][:, :2].T
    # the sign of an axis is free: its largest entry is made positive, so that the picture is the same on every machine
    directions *= np.sign(directions[np.arange(2), np.abs(directions).argmax(axis=1)])[:, None]
    shares = variances[::-1][:2] / variances.sum()
    names = tuple(
        translated("principal axis {number}   ({share:.0%} of the variance)", number=place + 1, share=share)
        for place, share in enumerate(shares)
    )
    return Plane(
        directions, (names[0], names[1]), translated("the first two principal axes of {size} dimensions", size=size)
    )
