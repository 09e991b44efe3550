ALTER TABLE customer_erasures DROP KEY customer_erasures_by_identity, DROP COLUMN identity;
