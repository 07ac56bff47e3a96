"""Features in, features out: one architecture a file, its settings in `settings.py`."""
