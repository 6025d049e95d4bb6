-- oldest-program: 0.1.0
-- What a warehouse is beside its name and root. Without a storage profile the settings say how its storage is reached.
-- soft_delete_seconds is how long dropped tables and views are held; null drops at once.
-- version grows with every change, so that what was derived from an older row is known to be outdated.

ALTER TABLE warehouses
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN protected boolean NOT NULL DEFAULT false,
    ADD COLUMN soft_delete_seconds bigint,
    ADD COLUMN storage_profile json,
    ADD COLUMN sealed_secret bytea,
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT warehouses_soft_delete_check CHECK (soft_delete_seconds > 0);
