"""Write docs/from-pythae.md from the table of counterparts: python -m scripts.write_pythae_page."""

from pathlib import Path

from vaelab.counterparts import MODELS, SAMPLERS, Counterpart

PAGE = Path(__file__).parents[1] / "docs" / "from-pythae.md"

INTRODUCTION = """\
# From pythae to vaelab

[pythae](https://github.com/clementchadebec/benchmark_VAE) has a class for each model and one for each sampler. Here a model is a
combination of parts, and a named one is a recipe of a few lines; what pythae calls a sampler is a prior, trained with the model or fitted
to its codes, which has a density, so that its likelihood can be said. The same tables in a terminal:

```sh
vaelab recipes --like pythae
```

Any part of a recipe may be another one, which is what classes do not offer: a VampPrior under a total-correlation objective, on
convolutions, is

```sh
vaelab train mnist --recipe beta-tc --prior vamp --network convolutional
```

[What goes together](combinations.md) says which pairs do not, and why. Scores are by the recipe's own command; where pythae's stands beside
one, both were measured by vaelab on the same images, with the same networks and epochs, in two latent dimensions
([how](results.md#against-pythae)). `RUN` is the folder of a training. The last column is by the source of pythae 0.1.2.
"""


def page() -> str:
    """The whole page."""
    models = "\n".join(["## Models", "", *_table(MODELS)])
    samplers = "\n".join(["## Samplers", "", *_table(SAMPLERS)])
    return "\n".join([INTRODUCTION, models, "", samplers]) + "\n\n" + CLOSING


CLOSING = """\
This page is made by `python -m scripts.write_pythae_page` from `src/vaelab/counterparts.py`.
"""


def _table(rows: tuple[Counterpart, ...]) -> list[str]:
    lines = ["| pythae | paper | here | score | what pythae's does otherwise |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        here = f"none: {row.why_none}" if row.command is None else f"`{row.command}`"
        cells = (f"`{row.theirs}`", row.paper, here, row.score, row.otherwise)
        lines.append(
            "| " + " | ".join(cell.replace("p(x|z)", "p(x\\|z)").replace("q(z|x)", "q(z\\|x)") for cell in cells) + " |"
        )
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: written")
