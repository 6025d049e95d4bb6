"""The gunicorn worker: limits, time limits, and a stop that drops no request."""
