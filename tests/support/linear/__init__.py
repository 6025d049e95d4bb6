"""Linearizability: what clients were answered, and whether one order of all operations explains it."""
