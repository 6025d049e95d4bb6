"""The ``bingsan`` command."""
