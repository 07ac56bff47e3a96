"""Configurations with a name, and those of the user's own."""

from pathlib import Path

from vaelab.config.whole import Config
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name

RECIPES = Path(__file__).parents[1] / "recipes"


def recipe_names() -> list[str]:
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load_recipe(name: str) -> Config:
    """A named recipe of the package.

    Raises:
        VaelabError: for a name that is none, with the nearest.
    """
    if name not in recipe_names():
        raise VaelabError(
            translated(
                "unknown recipe '{name}'; {nearest_name}", name=name, nearest_name=nearest_name(name, recipe_names())
            )
        )
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    return Config.from_toml(text, source=f"recipe {name}").model_copy(update={"recipe": name})


def load_config(path: Path) -> Config:
    """A configuration file of the user's own; keys that it leaves out have their defaults."""
    if not path.is_file():
        raise VaelabError(
            translated(
                "{path}: no such configuration file; give the path of a TOML file, or --recipe with one of {names}",
                path=path,
                names=", ".join(recipe_names()),
            )
        )
    return Config.from_toml(path.read_text(encoding="utf-8"), source=str(path))
