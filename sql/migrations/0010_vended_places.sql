-- oldest-program: 0.1.0
-- Places that temporary keys open until they end: nothing of somebody else may come to lie there before.

CREATE TABLE vended_places (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT vended_places_pkey PRIMARY KEY,
    warehouse_id bigint NOT NULL
        CONSTRAINT vended_places_warehouse_id_fkey REFERENCES warehouses (id) ON DELETE CASCADE,
    location_key text COLLATE "C" NOT NULL,
    principal text NOT NULL,
    levels text[] NOT NULL,
    name text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX vended_places_location ON vended_places (warehouse_id, location_key);
CREATE INDEX vended_places_expires_at ON vended_places (expires_at);
