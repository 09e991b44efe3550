ALTER TABLE handoffs DROP COLUMN ended_to;
ALTER TABLE handoffs DROP COLUMN urgent;
