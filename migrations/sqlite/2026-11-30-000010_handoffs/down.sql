DROP TABLE tags;
DROP TABLE notes;
DROP TABLE presence;
DROP TABLE handoffs;
ALTER TABLE sessions DROP COLUMN handoff_id;
