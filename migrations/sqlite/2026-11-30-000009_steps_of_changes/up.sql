-- Whether a confirmed change waits for a person of the shop, and who decided.
ALTER TABLE actions ADD COLUMN approval BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE actions ADD COLUMN reviewer_id TEXT NULL;
ALTER TABLE actions ADD COLUMN reviewed_at BIGINT NULL;

-- One-time codes that the shop has sent, at most one for each session: the shop's name for it, the call that waits for
-- it, and until when a right one counts. The codes themselves are nowhere. Rows go with their session.
CREATE TABLE IF NOT EXISTS step_ups (
    session_id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    challenge TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    tries_left BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    holds_until BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS step_ups_by_time ON step_ups (expires_at, holds_until);
