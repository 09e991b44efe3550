DROP INDEX customer_erasures_by_identity;
ALTER TABLE customer_erasures DROP COLUMN identity;
