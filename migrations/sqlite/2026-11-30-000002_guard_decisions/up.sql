-- Sentences of models that broke a rule, for the staff of the site. Personal data in `sentence` is masked. Rows go with
-- their session; each site keeps its newest.
CREATE TABLE IF NOT EXISTS guard_decisions (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    action TEXT NOT NULL,
    sentence TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS guard_decisions_by_site ON guard_decisions (site_id, id);
CREATE INDEX IF NOT EXISTS guard_decisions_by_session ON guard_decisions (session_id);
