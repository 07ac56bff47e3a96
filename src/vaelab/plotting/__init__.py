"""One figure a file: a function from arrays to a matplotlib Figure. Importing this room imports no matplotlib."""

from vaelab.plotting.writing import DEFAULT_FIGURES, figure_names, write_figures

__all__ = ["DEFAULT_FIGURES", "figure_names", "write_figures"]
