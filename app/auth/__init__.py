"""Who are you, and may you. Knows nothing of HTTP."""
