"""Real clients against the live service."""
