-- Which handoffs go before those that nobody had, and what came after one.
ALTER TABLE handoffs ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE handoffs ADD COLUMN ended_to TEXT NULL;
