"""Which numbers a density of one family needs, and the density that they make: one family a file, its settings in `settings.py`."""
