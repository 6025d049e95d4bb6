"""Logs, metrics and process state. No web framework is imported here."""
