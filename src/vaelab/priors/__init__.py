"""p(z): one prior a file, its settings in `settings.py`. Trained with the model or fitted afterwards, they are the same kind of object."""
