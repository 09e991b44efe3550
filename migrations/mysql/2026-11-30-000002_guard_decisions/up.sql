-- Sentences of models that broke a rule, for the staff of the site. Personal data in `sentence` is masked. Rows go with
-- their session; each site keeps its newest.
CREATE TABLE IF NOT EXISTS guard_decisions (
    id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    session_id CHAR(36) NOT NULL,
    turn_id CHAR(36) NOT NULL,
    rule VARCHAR(32) NOT NULL,
    action VARCHAR(16) NOT NULL,
    sentence TEXT NOT NULL,
    at BIGINT NOT NULL,
    KEY guard_decisions_by_site (site_id, id),
    KEY guard_decisions_by_session (session_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
