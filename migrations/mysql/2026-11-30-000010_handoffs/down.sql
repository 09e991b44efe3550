DROP TABLE presence;
DROP TABLE handoffs;
ALTER TABLE sessions DROP COLUMN handoff_id;
