-- Conversations that a person is to take over, as a view of the journal's events. Rows go with their session.
ALTER TABLE sessions ADD COLUMN handoff_id TEXT NULL;

CREATE TABLE handoffs (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    locale TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    accepted_at BIGINT NULL,
    agent_id TEXT NULL,
    ended_at BIGINT NULL
);
CREATE INDEX handoffs_by_state ON handoffs (state, site_id, requested_at);
CREATE INDEX handoffs_by_end ON handoffs (site_id, ended_at);
CREATE INDEX handoffs_by_session ON handoffs (session_id);
CREATE INDEX handoffs_by_agent ON handoffs (agent_id, state);

-- Who of a site takes conversations, and how many at once. An agent who was not seen lately is away.
CREATE TABLE presence (
    agent_id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    state TEXT NOT NULL,
    capacity BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX presence_by_site ON presence (site_id, seen_at);

-- What the people of a shop write about a conversation for each other. Rows go with their session.
CREATE TABLE notes (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    author_id TEXT NOT NULL,
    author_name TEXT NULL,
    idempotency_key TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notes_by_key ON notes (session_id, idempotency_key);

CREATE TABLE tags (
    session_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (session_id, tag)
);
