"""Parts of another package than vaelab: what its entry points promise, nothing of it known by name inside of vaelab."""
