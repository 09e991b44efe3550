DROP TABLE IF EXISTS password_resets;
ALTER TABLE refresh_tokens DROP KEY refresh_tokens_by_end;
ALTER TABLE users DROP KEY users_by_identity;
ALTER TABLE users DROP COLUMN external_iss;
ALTER TABLE users ADD UNIQUE KEY users_by_external_sub (site_id, external_sub);
