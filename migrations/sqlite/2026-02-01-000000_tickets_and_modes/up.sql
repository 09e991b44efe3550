CREATE TABLE tickets (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    answered_at INTEGER,
    attempts INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
);
CREATE INDEX tickets_by_age ON tickets (answered_at, created_at);
CREATE INDEX tickets_by_session ON tickets (session_id);

CREATE TABLE modes (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);
