"""Where a training runs: data and model on every device, each batch shared out among them, and one process that writes.

The only file that knows of devices. Draws do not depend on the sharding (JAX's threefry is partitionable), so one device and many give
the same losses.
"""

from dataclasses import dataclass

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree


@dataclass(frozen=True)
class Place:
    """Some devices. A value: two of the same devices are equal, so what was compiled for one serves the other."""

    mesh: Mesh

    @classmethod
    def sharing(cls, batch_size: int) -> "Place":
        """All devices in sight, or the most of them that share a batch out evenly."""
        devices = jax.devices()
        count = max(count for count in range(1, len(devices) + 1) if batch_size % count == 0)
        return cls(Mesh(np.array(devices[:count]), ("data",), axis_types=(AxisType.Auto,)))

    @property
    def devices(self) -> int:
        """How many."""
        return self.mesh.size

    @property
    def writes(self) -> bool:
        """Whether this process writes the files of the run: one does, of however many take part."""
        return jax.process_index() == 0

    def whole(self, tree: PyTree) -> PyTree:
        """The arrays of a tree, JAX's or NumPy's, whole on every device; what is no array as it is."""
        everywhere = NamedSharding(self.mesh, PartitionSpec())
        return jax.tree.map(
            lambda leaf: jax.device_put(leaf, everywhere) if isinstance(leaf, Array | np.ndarray) else leaf, tree
        )

    def shared_out(self, batch: PyTree) -> PyTree:
        """Inside a jitted function: the leading axis of each array divided among the devices."""
        if self.devices == 1:
            return batch
        return jax.lax.with_sharding_constraint(batch, NamedSharding(self.mesh, PartitionSpec("data")))


def fetch(tree: PyTree) -> PyTree:
    """The arrays of a tree as NumPy arrays in the host's memory."""
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, tree)
