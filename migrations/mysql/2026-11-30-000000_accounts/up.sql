-- The same `sub` of two issuers is two customers. A customer from before this step has no issuer; the first one that names
-- the `sub` becomes it. Written so that it may run again.
SET @issuers = (
    SELECT IF(COUNT(*) = 0,
        CONCAT(
            'ALTER TABLE users ADD COLUMN external_iss VARCHAR(255) NULL, ',
            'DROP KEY users_by_external_sub, ',
            'ADD UNIQUE KEY users_by_identity (site_id, external_sub, external_iss)'),
        'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'external_iss');
PREPARE issuers FROM @issuers;
EXECUTE issuers;
DEALLOCATE PREPARE issuers;

-- Tokens are deleted after their end.
SET @ends = (
    SELECT IF(COUNT(*) = 0, 'ALTER TABLE refresh_tokens ADD KEY refresh_tokens_by_end (expires_at)', 'DO 0')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'refresh_tokens' AND index_name = 'refresh_tokens_by_end');
PREPARE ends FROM @ends;
EXECUTE ends;
DEALLOCATE PREPARE ends;

-- Links with which people set a new password, at most one for each; used once.
CREATE TABLE IF NOT EXISTS password_resets (
    user_id CHAR(36) NOT NULL PRIMARY KEY,
    token_hash VARCHAR(128) NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE KEY password_resets_by_hash (token_hash),
    KEY password_resets_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
