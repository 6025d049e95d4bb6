"""Iceberg table and view metadata as a pure state machine on plain JSON objects.

Documents are the decoded JSON of a metadata file. Nothing here does I/O or mutates a document it was given;
members that the specification does not name are kept. Source: the Iceberg table and view specifications and
the metadata builders of the Java reference.
"""
