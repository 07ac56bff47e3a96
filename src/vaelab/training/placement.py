"""Where things lie: data and model on every device, each batch shared out among them.

The only file that knows of devices. Draws do not depend on the sharding (JAX's threefry is partitionable), so one device and many give
the same losses.
"""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree


def mesh_for(batch_size: int) -> Mesh:
    """All devices in sight, or the most of them that share a batch out evenly."""
    devices = jax.devices()
    count = max(count for count in range(1, len(devices) + 1) if batch_size % count == 0)
    return Mesh(np.array(devices[:count]), ("data",), axis_types=(AxisType.Auto,))


def replicated(tree: PyTree, mesh: Mesh) -> PyTree:
    """The arrays of a tree, whole on every device."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def shared_out(batch: PyTree, mesh: Mesh) -> PyTree:
    """Inside a jitted function: the leading axis of each array divided among the devices."""
    if mesh.size == 1:
        return batch
    return jax.lax.with_sharding_constraint(batch, NamedSharding(mesh, PartitionSpec("data")))


def fetch(tree: PyTree) -> PyTree:
    """The arrays of a tree as numpy arrays in the host's memory."""
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, tree)
