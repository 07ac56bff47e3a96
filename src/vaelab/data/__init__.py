"""Images to train on: named data sets, files and folders. NumPy only; nothing here imports JAX."""

from vaelab.data.dataset import Dataset as Dataset
from vaelab.data.dataset import Split as Split
from vaelab.data.loading import load_data as load_data

__all__ = ["Dataset", "Split", "load_data"]
