-- Conversations that a person is to take over, as a view of the journal's events. Rows go with their session. Written so
-- that it may run again.
SET @handoff_id = (
    SELECT IF(COUNT(*) = 0, 'ALTER TABLE sessions ADD COLUMN handoff_id CHAR(36) NULL', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'sessions' AND column_name = 'handoff_id');
PREPARE handoff_id FROM @handoff_id;
EXECUTE handoff_id;
DEALLOCATE PREPARE handoff_id;

CREATE TABLE IF NOT EXISTS handoffs (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    session_id CHAR(36) NOT NULL,
    owner_id CHAR(36) NOT NULL,
    reason TEXT NOT NULL,
    locale VARCHAR(35) NOT NULL,
    state VARCHAR(16) NOT NULL,
    requested_at BIGINT NOT NULL,
    accepted_at BIGINT NULL,
    agent_id CHAR(36) NULL,
    ended_at BIGINT NULL,
    KEY handoffs_by_state (state, site_id, requested_at),
    KEY handoffs_by_end (site_id, ended_at),
    KEY handoffs_by_session (session_id),
    KEY handoffs_by_agent (agent_id, state)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who of a site takes conversations, and how many at once. An agent who was not seen lately is away.
CREATE TABLE IF NOT EXISTS presence (
    agent_id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    state VARCHAR(16) NOT NULL,
    capacity BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    KEY presence_by_site (site_id, seen_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What the people of a shop write about a conversation for each other. Rows go with their session.
CREATE TABLE IF NOT EXISTS notes (
    id CHAR(36) NOT NULL PRIMARY KEY,
    session_id CHAR(36) NOT NULL,
    site_id VARCHAR(40) NOT NULL,
    author_id CHAR(36) NOT NULL,
    author_name TEXT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE KEY notes_by_key (session_id, idempotency_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tags (
    session_id CHAR(36) NOT NULL,
    tag VARCHAR(40) NOT NULL,
    PRIMARY KEY (session_id, tag)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
