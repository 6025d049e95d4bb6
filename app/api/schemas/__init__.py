"""Envelopes of requests, named after the specification's components."""
