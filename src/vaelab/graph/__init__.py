"""A network's operations as data, read off its jaxpr: what a model file carries so that a browser can run it."""

from vaelab.graph.nodes import sources_of
from vaelab.graph.reading import UnknownOperation, read_graph
from vaelab.graph.shapes import multiplications, multiplications_of, value_shapes

__all__ = ["UnknownOperation", "multiplications", "multiplications_of", "read_graph", "sources_of", "value_shapes"]
