"""The hot way: reads that were answered before are answered again without gunicorn and Flask, as long as they hold."""
