"""Engines that take long to start: ``make test-engines``."""
