-- Identifiers and keys compare byte by byte (utf8mb4_bin). Times are milliseconds since the Unix epoch.
-- MySQL commits after every statement, so each one may be run again after a start that was cut short.

CREATE TABLE IF NOT EXISTS sites (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    site_key VARCHAR(128) NOT NULL,
    allowed_origins LONGTEXT NOT NULL,
    identity_secret VARCHAR(512) NOT NULL,
    knowledge_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE KEY sites_by_key (site_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS users (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    role VARCHAR(16) NOT NULL,
    email VARCHAR(320) NULL,
    external_sub VARCHAR(255) NULL,
    display_name VARCHAR(255) NULL,
    password_hash VARCHAR(255) NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disabled_at BIGINT NULL,
    UNIQUE KEY users_by_email (site_id, email),
    UNIQUE KEY users_by_external_sub (site_id, external_sub),
    KEY users_by_site (site_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS refresh_tokens (
    id CHAR(36) NOT NULL PRIMARY KEY,
    family_id CHAR(36) NOT NULL,
    principal_id CHAR(36) NOT NULL,
    site_id VARCHAR(40) NOT NULL,
    role VARCHAR(16) NOT NULL,
    token_hash VARCHAR(128) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NULL,
    revoked_at BIGINT NULL,
    UNIQUE KEY refresh_tokens_by_hash (token_hash),
    KEY refresh_tokens_by_family (family_id),
    KEY refresh_tokens_by_principal (principal_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS api_keys (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    name VARCHAR(255) NOT NULL,
    prefix VARCHAR(32) NOT NULL,
    key_hash VARCHAR(128) NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NULL,
    UNIQUE KEY api_keys_by_hash (key_hash),
    KEY api_keys_by_site (site_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    owner_id CHAR(36) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    controller VARCHAR(64) NOT NULL,
    epoch BIGINT NOT NULL,
    locale VARCHAR(64) NOT NULL,
    open_turn_id CHAR(36) NULL,
    KEY sessions_by_owner (owner_id, id),
    KEY sessions_by_open_turn (open_turn_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS erased_sessions (
    session_id CHAR(36) NOT NULL PRIMARY KEY,
    owner CHAR(36) NOT NULL,
    erased_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS events (
    session_id CHAR(36) NOT NULL,
    seq BIGINT NOT NULL,
    turn_id CHAR(36) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    epoch BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload LONGTEXT NOT NULL,
    PRIMARY KEY (session_id, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS messages (
    id CHAR(36) NOT NULL PRIMARY KEY,
    session_id CHAR(36) NOT NULL,
    seq BIGINT NOT NULL,
    turn_id CHAR(36) NOT NULL,
    role VARCHAR(16) NOT NULL,
    text LONGTEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    route VARCHAR(16) NULL,
    citations LONGTEXT NOT NULL,
    client_message_id VARCHAR(255) NULL,
    KEY messages_by_session (session_id, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS idempotency (
    session_id CHAR(36) NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    body_hash CHAR(64) NOT NULL,
    turn_id CHAR(36) NOT NULL,
    PRIMARY KEY (session_id, idempotency_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS documents (
    site_id VARCHAR(40) NOT NULL,
    external_id VARCHAR(255) NOT NULL,
    version BIGINT NOT NULL,
    content_hash VARCHAR(128) NOT NULL,
    title TEXT NOT NULL,
    format VARCHAR(16) NOT NULL,
    body LONGTEXT NOT NULL,
    tags LONGTEXT NOT NULL,
    audience VARCHAR(64) NULL,
    locale VARCHAR(64) NULL,
    url TEXT NULL,
    status VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, external_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS chunks (
    site_id VARCHAR(40) NOT NULL,
    external_id VARCHAR(255) NOT NULL,
    ordinal BIGINT NOT NULL,
    heading TEXT NOT NULL,
    text LONGTEXT NOT NULL,
    embedder VARCHAR(128) NOT NULL,
    vector LONGBLOB NOT NULL,
    PRIMARY KEY (site_id, external_id, ordinal)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS feedback (
    message_id CHAR(36) NOT NULL PRIMARY KEY,
    session_id CHAR(36) NOT NULL,
    site_id VARCHAR(40) NOT NULL,
    principal_id CHAR(36) NOT NULL,
    rating VARCHAR(8) NOT NULL,
    comment TEXT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    KEY feedback_by_session (session_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    actor_id CHAR(36) NOT NULL,
    actor_role VARCHAR(16) NOT NULL,
    action VARCHAR(64) NOT NULL,
    target VARCHAR(255) NOT NULL,
    detail LONGTEXT NOT NULL,
    at BIGINT NOT NULL,
    KEY audit_by_site (site_id, id),
    KEY audit_by_target (target)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
