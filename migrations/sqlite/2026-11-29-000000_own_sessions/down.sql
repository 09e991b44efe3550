ALTER TABLE sessions DROP COLUMN owner_replica;
ALTER TABLE sessions DROP COLUMN owner_epoch;
ALTER TABLE sessions DROP COLUMN head;
DROP INDEX IF EXISTS erased_sessions_by_time;
DROP TABLE IF EXISTS replicas;
CREATE TABLE IF NOT EXISTS detached_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    running TEXT NULL
);
