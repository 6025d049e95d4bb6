"""The HTTP side: blueprints that decode a request, call the catalog and encode its answer."""
