-- name: read_security_version (prepared)
SELECT version FROM security_version;

-- In the transaction of every change of who may come in or what they may do.
-- name: bump_security_version
UPDATE security_version SET version = version + 1;
