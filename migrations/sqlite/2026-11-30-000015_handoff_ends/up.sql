-- `urgent`: goes to the front of the queue, because an agent has left it. `ended_to`: where it went when it ended.
ALTER TABLE handoffs ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE handoffs ADD COLUMN ended_to TEXT NULL;
