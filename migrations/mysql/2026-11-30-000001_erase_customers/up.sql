-- Customers that were erased, or are being erased: the row stays, so that nothing of them comes back. Each store has the
-- time at which it was done; `erased_at` is the last of them. The other columns count removed rows. All times are
-- milliseconds since the Unix epoch, by this server's clock.
CREATE TABLE IF NOT EXISTS customer_erasures (
    customer_id CHAR(36) NOT NULL PRIMARY KEY,
    site_id VARCHAR(40) NOT NULL,
    requested_at BIGINT NOT NULL,
    archive_at BIGINT NULL,
    replicas_at BIGINT NULL,
    cache_at BIGINT NULL,
    erased_at BIGINT NULL,
    accounts BIGINT NOT NULL DEFAULT 0,
    refresh_tokens BIGINT NOT NULL DEFAULT 0,
    sessions BIGINT NOT NULL DEFAULT 0,
    events BIGINT NOT NULL DEFAULT 0,
    messages BIGINT NOT NULL DEFAULT 0,
    idempotency BIGINT NOT NULL DEFAULT 0,
    feedback BIGINT NOT NULL DEFAULT 0,
    tickets BIGINT NOT NULL DEFAULT 0,
    audit BIGINT NOT NULL DEFAULT 0,
    KEY customer_erasures_by_end (erased_at, customer_id),
    KEY customer_erasures_by_request (requested_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row for each process that was asked whether it can write.
CREATE TABLE IF NOT EXISTS probes (
    id VARCHAR(255) NOT NULL PRIMARY KEY,
    written_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

SET @ratings_of_one = (
    SELECT IF(COUNT(*) = 0, 'ALTER TABLE feedback ADD KEY feedback_by_principal (principal_id)', 'DO 0')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'feedback' AND index_name = 'feedback_by_principal');
PREPARE ratings_of_one FROM @ratings_of_one;
EXECUTE ratings_of_one;
DEALLOCATE PREPARE ratings_of_one;
