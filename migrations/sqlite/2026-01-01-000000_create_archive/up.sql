-- The same tables as in migrations/mysql. Text compares byte by byte. Times are milliseconds since the Unix epoch.

CREATE TABLE sites (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    site_key TEXT NOT NULL,
    allowed_origins TEXT NOT NULL,
    identity_secret TEXT NOT NULL,
    knowledge_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX sites_by_key ON sites (site_key);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    role TEXT NOT NULL,
    email TEXT,
    external_sub TEXT,
    display_name TEXT,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    disabled_at INTEGER
);
CREATE UNIQUE INDEX users_by_email ON users (site_id, email);
CREATE UNIQUE INDEX users_by_external_sub ON users (site_id, external_sub);
CREATE INDEX users_by_site ON users (site_id, id);

CREATE TABLE refresh_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    family_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
);
CREATE UNIQUE INDEX refresh_tokens_by_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_principal ON refresh_tokens (principal_id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);
CREATE INDEX api_keys_by_site ON api_keys (site_id, id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    controller TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    locale TEXT NOT NULL,
    open_turn_id TEXT
);
CREATE INDEX sessions_by_owner ON sessions (owner_id, id);
CREATE INDEX sessions_by_open_turn ON sessions (open_turn_id) WHERE open_turn_id IS NOT NULL;

CREATE TABLE erased_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    erased_at INTEGER NOT NULL
);

CREATE TABLE events (
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    turn_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (session_id, seq)
);

CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    turn_id TEXT NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    route TEXT,
    citations TEXT NOT NULL,
    client_message_id TEXT
);
CREATE INDEX messages_by_session ON messages (session_id, seq);

CREATE TABLE idempotency (
    session_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    PRIMARY KEY (session_id, idempotency_key)
);

CREATE TABLE documents (
    site_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    title TEXT NOT NULL,
    format TEXT NOT NULL,
    body TEXT NOT NULL,
    tags TEXT NOT NULL,
    audience TEXT,
    locale TEXT,
    url TEXT,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, external_id)
);

CREATE TABLE chunks (
    site_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    embedder TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (site_id, external_id, ordinal)
);

CREATE TABLE feedback (
    message_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    rating TEXT NOT NULL,
    comment TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX feedback_by_session ON feedback (session_id);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX audit_by_site ON audit (site_id, id);
CREATE INDEX audit_by_target ON audit (target);
