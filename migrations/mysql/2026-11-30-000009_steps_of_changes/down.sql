DROP TABLE step_ups;
ALTER TABLE actions DROP COLUMN approval, DROP COLUMN reviewer_id, DROP COLUMN reviewed_at;
