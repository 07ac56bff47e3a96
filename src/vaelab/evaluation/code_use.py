"""How much of its codebooks a model uses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaelab.conditional import codebook_of
from vaelab.model import Model


@dataclasses.dataclass(frozen=True)
class CodeUse:
    """Over all positions of all images; of several books the mean.

    - `codes`: how many a book has; `positions`: of an image
    - `usage`: the share of them that any position chose
    - `perplexity`: exp of the entropy of how often each was chosen: as many codes, chosen equally often, would carry as much
    """

    codes: int
    positions: int
    books: int
    usage: float
    perplexity: float


def code_use(model: Model, z: Float[np.ndarray, "images latent"]) -> CodeUse:
    """Of the codes of some images."""
    book = codebook_of(model.encoder)
    codes, size = book.codes(jax.vmap(book.symbols)(jnp.asarray(z)))  # (images, books, positions)
    chosen = np.asarray(codes)
    usage, perplexity = [], []
    for each in range(chosen.shape[1]):
        shares = np.bincount(chosen[:, each].ravel(), minlength=size) / chosen[:, each].size
        used = shares[shares > 0.0]
        usage.append(len(used) / size)
        perplexity.append(float(np.exp(-np.sum(used * np.log(used)))))
    return CodeUse(size, chosen.shape[2], chosen.shape[1], float(np.mean(usage)), float(np.mean(perplexity)))
