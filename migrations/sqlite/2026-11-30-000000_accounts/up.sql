-- The same `sub` of two issuers is two customers. A customer from before this step has no issuer; the first one that names
-- the `sub` becomes it.
ALTER TABLE users ADD COLUMN external_iss TEXT NULL;
DROP INDEX users_by_external_sub;
CREATE UNIQUE INDEX users_by_identity ON users (site_id, external_sub, external_iss);

-- Tokens are deleted after their end.
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- Links with which people set a new password, at most one for each; used once.
CREATE TABLE password_resets (
    user_id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX password_resets_by_hash ON password_resets (token_hash);
CREATE INDEX password_resets_by_end ON password_resets (expires_at);
