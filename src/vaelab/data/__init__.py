"""Images to train on: named data sets, files and folders. NumPy only; nothing here imports JAX."""

from vaelab.data.dataset import Dataset as Dataset
from vaelab.data.dataset import Split as Split
from vaelab.data.fingerprint import Fingerprint as Fingerprint
from vaelab.data.loading import load_data as load_data
from vaelab.data.names import Entry as Entry
from vaelab.data.names import catalogue as catalogue
from vaelab.data.pictures import load_image as load_image
from vaelab.data.selection import Item as Item
from vaelab.data.selection import resolve_item as resolve_item
from vaelab.data.selection import resolve_items as resolve_items
from vaelab.data.whole import load_images as load_images

__all__ = [
    "Dataset",
    "Entry",
    "Fingerprint",
    "Item",
    "Split",
    "catalogue",
    "load_data",
    "load_image",
    "load_images",
    "resolve_item",
    "resolve_items",
]
