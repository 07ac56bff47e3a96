"""What training minimises: positive nats, averaged over a batch. One objective a file, its settings in `settings.py`."""
