ALTER TABLE handoffs DROP COLUMN ended_to, DROP COLUMN urgent;
