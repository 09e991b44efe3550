-- Under which name the shop's own sign-in knows an erased customer, as a hash, until the identity tokens from before have
-- ended.
ALTER TABLE customer_erasures ADD COLUMN identity TEXT NULL;
CREATE INDEX customer_erasures_by_identity ON customer_erasures (identity, requested_at);
