-- Which handoffs go before those that nobody had, and what came after one. Written so that it may run again.
SET @handoff_ends = (
    SELECT IF(COUNT(*) = 0,
        'ALTER TABLE handoffs ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT 0, ADD COLUMN ended_to VARCHAR(16) NULL', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'handoffs' AND column_name = 'urgent');
PREPARE handoff_ends FROM @handoff_ends;
EXECUTE handoff_ends;
DEALLOCATE PREPARE handoff_ends;
