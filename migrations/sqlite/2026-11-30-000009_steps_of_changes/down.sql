DROP TABLE step_ups;
ALTER TABLE actions DROP COLUMN approval;
ALTER TABLE actions DROP COLUMN reviewer_id;
ALTER TABLE actions DROP COLUMN reviewed_at;
