"""The append-only log of everything that changed."""
