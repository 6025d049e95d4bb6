"""The management API under ``/management/v1``: what the Iceberg specification has no routes for.

It speaks as the Iceberg API does (errors, pages, idempotency keys, names in paths) and is not announced by
``/v1/config``.
"""
