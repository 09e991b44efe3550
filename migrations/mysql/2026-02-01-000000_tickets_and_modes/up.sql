-- Questions that are answered later, as a view of the journal's events; `seq` is that of the question. One without
-- `answered_at` is open; it may be worked on by whoever finds `leased_until` in the past.
CREATE TABLE IF NOT EXISTS tickets (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    session_id CHAR(36) NOT NULL,
    seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    answered_at BIGINT NULL,
    attempts BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    KEY tickets_by_age (answered_at, created_at),
    KEY tickets_by_session (session_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What operators ordered for the whole service, by name.
CREATE TABLE IF NOT EXISTS modes (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value LONGTEXT NOT NULL,
    updated_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
