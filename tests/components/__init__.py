"""Storage, queue and purge on real files, MinIO and PostgreSQL, without a server."""
