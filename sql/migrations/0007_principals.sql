-- oldest-program: 0.1.0
-- Who may come in, and what they may do. Nothing here is a secret: of secrets and keys only hashes are kept.
-- security_version grows with every change of these tables, in its transaction; each request compares it.

CREATE TABLE security_version (
    only_row boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT security_version_pkey PRIMARY KEY (only_row),
    CONSTRAINT security_version_one_row CHECK (only_row)
);
INSERT INTO security_version DEFAULT VALUES;

-- issuer and subject name a principal of an external OpenID provider. A deleted one keeps its row, not its name.
CREATE TABLE principals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    issuer text COLLATE "C",
    subject text COLLATE "C",
    disabled boolean NOT NULL DEFAULT false,
    tokens_valid_after timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT principals_pkey PRIMARY KEY (id),
    CONSTRAINT principals_kind_check CHECK (kind IN ('service', 'user', 'openid')),
    CONSTRAINT principals_openid_check CHECK ((kind = 'openid') = (issuer IS NOT NULL AND subject IS NOT NULL))
);
CREATE UNIQUE INDEX principals_name_key ON principals (name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX principals_subject_key ON principals (issuer, subject) WHERE deleted_at IS NULL;

CREATE TABLE client_secrets (
    id bigint GENERATED ALWAYS AS IDENTITY,
    principal_id bigint NOT NULL,
    secret_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT client_secrets_pkey PRIMARY KEY (id),
    CONSTRAINT client_secrets_principal_fkey FOREIGN KEY (principal_id) REFERENCES principals (id)
);
CREATE INDEX client_secrets_principal ON client_secrets (principal_id);

CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY,
    principal_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    key_hash bytea NOT NULL,
    previous_key_hash bytea,
    previous_valid_until timestamptz,
    scopes text[] COLLATE "C" NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_previous_hash_key UNIQUE (previous_key_hash),
    CONSTRAINT api_keys_principal_fkey FOREIGN KEY (principal_id) REFERENCES principals (id)
);
CREATE INDEX api_keys_principal ON api_keys (principal_id, id);

CREATE TABLE revoked_tokens (
    token_id text COLLATE "C" NOT NULL,
    revoked_by text NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT revoked_tokens_pkey PRIMARY KEY (token_id)
);
CREATE INDEX revoked_tokens_due ON revoked_tokens (expires_at);

CREATE TABLE roles (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text COLLATE "C" NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_pkey PRIMARY KEY (id),
    CONSTRAINT roles_name_key UNIQUE (name)
);

-- Either a principal or another role is a member.
CREATE TABLE role_members (
    id bigint GENERATED ALWAYS AS IDENTITY,
    role_id bigint NOT NULL,
    member_principal_id bigint,
    member_role_id bigint,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_members_pkey PRIMARY KEY (id),
    CONSTRAINT role_members_one_check CHECK (num_nonnulls(member_principal_id, member_role_id) = 1),
    CONSTRAINT role_members_principal_key UNIQUE (role_id, member_principal_id),
    CONSTRAINT role_members_role_key UNIQUE (role_id, member_role_id),
    CONSTRAINT role_members_role_fkey FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT role_members_member_fkey FOREIGN KEY (member_role_id) REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT role_members_principal_fkey FOREIGN KEY (member_principal_id) REFERENCES principals (id)
);
CREATE INDEX role_members_principal ON role_members (member_principal_id);
CREATE INDEX role_members_member ON role_members (member_role_id);

-- A grant is to a principal or to a role. object_id is that of a warehouse, namespace or tabular; 0 is the server.
-- Ids are never used again, so a grant on what is gone means nothing until it is swept up.
CREATE TABLE grants (
    id bigint GENERATED ALWAYS AS IDENTITY,
    principal_id bigint,
    role_id bigint,
    privilege text NOT NULL,
    object_kind text NOT NULL,
    object_id bigint NOT NULL,
    warehouse_id bigint,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT grants_pkey PRIMARY KEY (id),
    CONSTRAINT grants_one_check CHECK (num_nonnulls(principal_id, role_id) = 1),
    CONSTRAINT grants_kind_check CHECK (object_kind IN ('server', 'warehouse', 'namespace', 'table', 'view')),
    CONSTRAINT grants_server_check CHECK (
        (object_kind = 'server') = (object_id = 0) AND (object_kind = 'server') = (warehouse_id IS NULL)
    ),
    CONSTRAINT grants_principal_key UNIQUE (principal_id, object_kind, object_id, privilege),
    CONSTRAINT grants_role_key UNIQUE (role_id, object_kind, object_id, privilege),
    CONSTRAINT grants_principal_fkey FOREIGN KEY (principal_id) REFERENCES principals (id),
    CONSTRAINT grants_role_fkey FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE
);
CREATE INDEX grants_object ON grants (object_kind, object_id);

-- Who created it, null for nobody. There is no foreign key: rows of principals stay.
ALTER TABLE warehouses ADD COLUMN owner_id bigint;
ALTER TABLE namespaces ADD COLUMN owner_id bigint;
ALTER TABLE tabulars ADD COLUMN owner_id bigint;
ALTER TABLE held_tabulars ADD COLUMN owner_id bigint;
CREATE INDEX namespaces_owner ON namespaces (owner_id, warehouse_id) WHERE owner_id IS NOT NULL;
CREATE INDEX tabulars_owner ON tabulars (owner_id, namespace_id) WHERE owner_id IS NOT NULL;
