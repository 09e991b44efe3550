-- One owner for each session. `owner_epoch` grows by one each time that a replica becomes the owner; `head` is a hash over
-- the stored events, which for a session from before this step begins here. Written so that it may run again.
SET @own_sessions = (
    SELECT IF(COUNT(*) = 0,
        CONCAT(
            'ALTER TABLE sessions ADD COLUMN owner_replica VARCHAR(255) NULL, ',
            'ADD COLUMN owner_epoch BIGINT NOT NULL DEFAULT 0, ',
            'ADD COLUMN head CHAR(64) NOT NULL DEFAULT ''', REPEAT('0', 64), ''''),
        'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'sessions' AND column_name = 'head');
PREPARE own_sessions FROM @own_sessions;
EXECUTE own_sessions;
DEALLOCATE PREPARE own_sessions;

-- Each replica asks for the newest erasures once a second.
SET @newest_erasures = (
    SELECT IF(COUNT(*) = 0, 'ALTER TABLE erased_sessions ADD KEY erased_sessions_by_time (erased_at)', 'DO 0')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'erased_sessions' AND index_name = 'erased_sessions_by_time');
PREPARE newest_erasures FROM @newest_erasures;
EXECUTE newest_erasures;
DEALLOCATE PREPARE newest_erasures;

-- Replicas that run. `seen_at` is the time of the last beat, `looked_at` the time at which the replica had last begun to
-- read the newest erasures; both in milliseconds since the Unix epoch, by this server's clock.
CREATE TABLE IF NOT EXISTS replicas (
    id VARCHAR(255) NOT NULL PRIMARY KEY,
    build BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    looked_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TABLE IF EXISTS detached_sessions;
