-- Sessions that went on here while the hot store was away: its copy of them is not to be believed.
CREATE TABLE IF NOT EXISTS detached_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    running TEXT NULL
);
