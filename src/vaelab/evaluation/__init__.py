"""Questions asked of a trained model and of its samples, one a file."""
