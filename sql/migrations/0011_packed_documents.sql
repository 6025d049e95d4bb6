-- oldest-program: 0.1.0
-- Large metadata documents lie compressed (zstd) in packed, small ones and those of older programs as text in document:
-- exactly one of the two. Programs from before this migration read document only, so nothing is packed until
-- none of them serves the database: at once where nothing was ever served, else after bingsan migrate --finish.

ALTER TABLE tabulars
    ALTER COLUMN document DROP NOT NULL,
    ADD COLUMN packed bytea,
    ADD CONSTRAINT tabulars_document_check CHECK (num_nonnulls(document, packed) = 1);
ALTER TABLE tabulars ALTER COLUMN packed SET STORAGE EXTERNAL;

ALTER TABLE held_tabulars
    ALTER COLUMN document DROP NOT NULL,
    ADD COLUMN packed bytea,
    ADD CONSTRAINT held_tabulars_document_check CHECK (num_nonnulls(document, packed) = 1);
ALTER TABLE held_tabulars ALTER COLUMN packed SET STORAGE EXTERNAL;

CREATE TABLE document_storage (
    id boolean NOT NULL DEFAULT true,
    packs boolean NOT NULL,
    CONSTRAINT document_storage_pkey PRIMARY KEY (id),
    CONSTRAINT document_storage_one CHECK (id)
);
INSERT INTO document_storage (packs) SELECT NOT EXISTS (SELECT FROM warehouses);
