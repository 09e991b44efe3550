DROP TABLE password_resets;
DROP INDEX refresh_tokens_by_end;
DROP INDEX users_by_identity;
ALTER TABLE users DROP COLUMN external_iss;
CREATE UNIQUE INDEX users_by_external_sub ON users (site_id, external_sub);
