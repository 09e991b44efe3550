-- Sessions that went on here while the hot store was away: its copy of them is not to be believed.
CREATE TABLE IF NOT EXISTS detached_sessions (
    session_id CHAR(36) NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    running LONGTEXT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
