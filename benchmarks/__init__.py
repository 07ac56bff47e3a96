"""vaelab beside its peers: the same job, the same data, one machine, one run."""
