-- Changes that were proposed to shoppers, as a view of the journal's events. Not in the journal are `arguments`, with
-- which the tool is called, and who looks until when for what became of a call (`tries`, `leased_until`). Rows go with
-- their session.
CREATE TABLE IF NOT EXISTS actions (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    hash TEXT NOT NULL,
    effect TEXT NOT NULL,
    language TEXT NOT NULL,
    signed_in BOOLEAN NOT NULL,
    proposed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    decision TEXT NULL,
    decided_turn_id TEXT NULL,
    decided_at BIGINT NULL,
    replica TEXT NULL,
    ended_at BIGINT NULL,
    tries BIGINT NOT NULL,
    leased_until BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS actions_by_state ON actions (state, leased_until);
CREATE INDEX IF NOT EXISTS actions_by_session ON actions (session_id);
CREATE INDEX IF NOT EXISTS actions_by_owner ON actions (owner_id, decided_at);
CREATE INDEX IF NOT EXISTS actions_by_site ON actions (site_id, decided_at);
