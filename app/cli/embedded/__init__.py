"""A PostgreSQL of our own in ``home``: its programs, its files, its process."""
