-- One owner for each session. `owner_epoch` grows by one each time that a replica becomes the owner; `head` is a hash over
-- the stored events, which for a session from before this step begins here.
ALTER TABLE sessions ADD COLUMN owner_replica TEXT NULL;
ALTER TABLE sessions ADD COLUMN owner_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN head TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000000000000000';

CREATE INDEX IF NOT EXISTS erased_sessions_by_time ON erased_sessions (erased_at);

-- Replicas that run. `seen_at` is the time of the last beat, `looked_at` the time at which the replica had last begun to
-- read the newest erasures; both in milliseconds since the Unix epoch.
CREATE TABLE IF NOT EXISTS replicas (
    id TEXT NOT NULL PRIMARY KEY,
    build BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    looked_at BIGINT NOT NULL
);

DROP TABLE IF EXISTS detached_sessions;
