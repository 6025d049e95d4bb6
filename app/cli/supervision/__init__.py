"""Running child processes: starting, watching, stopping them in order."""
