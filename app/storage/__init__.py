"""File systems by URI scheme: where metadata and data files live, and what the server may touch there."""
