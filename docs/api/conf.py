"""The API reference, from the docstrings: `sphinx-build -W -b html docs/api build/api` (extra `docs`)."""

import os
import re
import typing
from importlib.metadata import version as version_of
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"  # modules are imported, nothing is computed
os.environ["VAELAB_LANGUAGE"] = "en"
# jaxtyping's own switch, read when it is imported: annotations stand as they are written, Float[Array, 'batch latent']
typing.GENERATING_DOCUMENTATION = "vaelab"  # pyright: ignore[reportAttributeAccessIssue]

from pydantic import BaseModel

project = "vaelab"
author = "the authors of vaelab"
version = release = version_of("vaelab")
html_title = f"vaelab {version}"
html_theme = "alabaster"
html_theme_options = {"description": "A workbench for variational autoencoders", "page_width": "1200px"}

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
default_role = "code"  # `name`, as the docstrings write it

nitpicky = True  # a type of ours that a signature names has its place here; those of others have theirs elsewhere
nitpick_ignore_regex = [
    ("py:.*", r"(?!vaelab\.).*"),
    ("py:.*", r"vaelab\.(settings\.Annotated|config\.data\._|kinds\.Kinds\.settings|evaluation\.by_label\.Found).*"),
    ("py:.*", r"vaelab\.(objectives\.settings\._|densities\.stacks\.Density).*"),
]

napoleon_numpy_docstring = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100
autodoc_default_options = {"members": True, "special-members": "__call__", "show-inheritance": True}

COLON = "\N{FULLWIDTH COLON}"


def is_shown(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Settings without a docstring are: their fields say what they are. What scikit-learn or a named tuple makes is not."""
    if isinstance(member, type) and issubclass(member, BaseModel):
        return False
    if re.fullmatch(r"set_\w+_request|model_config", name) or type(member).__name__ == "_tuplegetter":
        return True
    return None


def with_fields(app: Any, what: str, name: str, part: Any, options: Any, lines: list[str]) -> None:
    """What each field of a class of settings is for."""
    if isinstance(part, type) and issubclass(part, BaseModel):
        said = {key: field.description for key, field in part.model_fields.items() if field.description}
        lines += ["", *(f"- `{key}`: {description}" for key, description in said.items()), ""]


def with_colons_kept(app: Any, what: str, name: str, part: Any, options: Any, lines: list[str]) -> None:
    """Of a property's or a constant's docstring, in which napoleon takes the words before a colon for a type."""
    if what in ("property", "attribute", "data"):
        lines[:] = [line.replace(":", COLON) for line in lines]


def with_colons_back(app: Any, what: str, name: str, part: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [line.replace(COLON, ":") for line in lines]


def setup(app: Any) -> None:
    app.connect("autodoc-skip-member", is_shown)
    app.connect("autodoc-process-docstring", with_fields)
    app.connect("autodoc-process-docstring", with_colons_kept, priority=100)  # napoleon's priority is 500
    app.connect("autodoc-process-docstring", with_colons_back, priority=900)
