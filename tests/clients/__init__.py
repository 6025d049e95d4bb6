"""Clients that nobody here wrote, configured as docs/clients.md says."""
