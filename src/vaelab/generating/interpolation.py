"""Paths from one point of the latent space to another."""

import numpy as np
from jaxtyping import Float, Float32

from vaelab.errors import VaelabError
from vaelab.language import translated


def path_between(
    first: Float[np.ndarray, " latent"], last: Float[np.ndarray, " latent"], *, steps: int, spherical: bool = False
) -> Float32[np.ndarray, "steps latent"]:
    """`steps` points from `first` to `last`, both included, evenly spaced.

    Straight: (1 - t) a + t b. Spherical: [sin((1 - t) w) a + sin(t w) b] / sin w, w being the angle between a and b as
    seen from the origin; it keeps away from the prior's middle, where in many dimensions hardly any of its mass lies
    (White, "Sampling generative networks", 2016, section 2.1).

    Raises:
        VaelabError: for fewer than two steps, and for a spherical path between points that lie exactly opposite, or
            from the origin.
    """
    if steps < 2:
        raise VaelabError(
            translated("steps: expected 2 or more, from the first point to the last; found {steps}", steps=steps)
        )
    a, b = np.asarray(first, np.float64), np.asarray(last, np.float64)
    t = np.linspace(0.0, 1.0, steps)[:, None]
    if not spherical:
        return ((1.0 - t) * a + t * b).astype(np.float32)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    if lengths == 0.0:
        raise VaelabError(
            translated(
                "a spherical path needs a direction, and one of the points is the origin; take the straight path"
            )
        )
    angle = np.arccos(np.clip(a @ b / lengths, -1.0, 1.0))
    if np.pi - angle < 1e-6:
        raise VaelabError(
            translated(
                "a spherical path between points that lie exactly opposite is not defined; take the straight path"
            )
        )
    if angle < 1e-6:  # one direction: the limit is the straight path
        return ((1.0 - t) * a + t * b).astype(np.float32)
    path = (np.sin((1.0 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return path.astype(np.float32)
