DROP INDEX feedback_by_principal;
DROP TABLE probes;
DROP TABLE customer_erasures;
