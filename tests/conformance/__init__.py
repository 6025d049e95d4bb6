"""``make conformance``: the service and its document against the official Iceberg REST document."""
