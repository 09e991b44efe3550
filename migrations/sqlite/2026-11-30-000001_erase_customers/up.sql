-- Customers that were erased, or are being erased: the row stays, so that nothing of them comes back. Each store has the
-- time at which it was done; `erased_at` is the last of them. The other columns count removed rows. All times are
-- milliseconds since the Unix epoch.
CREATE TABLE IF NOT EXISTS customer_erasures (
    customer_id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
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
    audit BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS customer_erasures_by_end ON customer_erasures (erased_at, customer_id);
CREATE INDEX IF NOT EXISTS customer_erasures_by_request ON customer_erasures (requested_at);

-- A row for each process that was asked whether it can write.
CREATE TABLE IF NOT EXISTS probes (
    id TEXT NOT NULL PRIMARY KEY,
    written_at BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS feedback_by_principal ON feedback (principal_id);
