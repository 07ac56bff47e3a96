"""The kinds of fitted priors, and what one is called unless its user says otherwise."""

from typing import Literal, get_args

Kind = Literal["mixture", "kde", "flow", "second-stage"]
KINDS: tuple[str, ...] = get_args(Kind)


def default_name(kind: str, *, by_class: bool, latent_dim: int) -> str:
    """The kind; `-by-class` where it is that; `-bound` where its log-density is only one: a second stage beyond two dimensions."""
    bound = kind == "second-stage" and latent_dim > 2
    return kind + ("-by-class" if by_class else "") + ("-bound" if bound else "")
