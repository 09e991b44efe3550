-- Changes that were proposed to shoppers, as a view of the journal's events. Not in the journal are `arguments`, with
-- which the tool is called, and who looks until when for what became of a call (`tries`, `leased_until`). Rows go with
-- their session.
CREATE TABLE IF NOT EXISTS actions (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    session_id CHAR(36) NOT NULL,
    owner_id CHAR(36) NOT NULL,
    turn_id CHAR(36) NOT NULL,
    tool VARCHAR(64) NOT NULL,
    arguments LONGTEXT NOT NULL,
    hash CHAR(64) NOT NULL,
    effect TEXT NOT NULL,
    language VARCHAR(8) NOT NULL,
    signed_in BOOLEAN NOT NULL,
    proposed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    decision VARCHAR(16) NULL,
    decided_turn_id CHAR(36) NULL,
    decided_at BIGINT NULL,
    replica VARCHAR(255) NULL,
    ended_at BIGINT NULL,
    tries BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    KEY actions_by_state (state, leased_until),
    KEY actions_by_session (session_id),
    KEY actions_by_owner (owner_id, decided_at),
    KEY actions_by_site (site_id, decided_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
