-- Whether a confirmed change waits for a person of the shop, and who decided.
ALTER TABLE actions
    ADD COLUMN approval BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN reviewer_id CHAR(36) NULL,
    ADD COLUMN reviewed_at BIGINT NULL;

-- One-time codes that the shop has sent, at most one for each session: the shop's name for it, the call that waits for
-- it, and until when a right one counts. The codes themselves are nowhere. Rows go with their session.
CREATE TABLE IF NOT EXISTS step_ups (
    session_id CHAR(36) NOT NULL PRIMARY KEY,
    subject CHAR(64) NOT NULL,
    challenge VARCHAR(255) NOT NULL,
    tool VARCHAR(64) NOT NULL,
    arguments LONGTEXT NOT NULL,
    tries_left BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    holds_until BIGINT NOT NULL,
    KEY step_ups_by_time (expires_at, holds_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
