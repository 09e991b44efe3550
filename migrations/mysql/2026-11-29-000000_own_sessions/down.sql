ALTER TABLE sessions DROP COLUMN owner_replica, DROP COLUMN owner_epoch, DROP COLUMN head;
ALTER TABLE erased_sessions DROP KEY erased_sessions_by_time;
DROP TABLE IF EXISTS replicas;
CREATE TABLE IF NOT EXISTS detached_sessions (
    session_id CHAR(36) NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    running LONGTEXT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
