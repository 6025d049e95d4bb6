"""All use cases of the catalog, each owning its transaction."""
