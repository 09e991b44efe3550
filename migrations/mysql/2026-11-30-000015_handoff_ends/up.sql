-- `urgent`: goes to the front of the queue, because an agent has left it. `ended_to`: where it went when it ended. This
-- may run again.
SET @handoff_ends = (
    SELECT IF(COUNT(*) = 0,
        'ALTER TABLE handoffs ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT 0, ADD COLUMN ended_to VARCHAR(16) NULL', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'handoffs' AND column_name = 'urgent');
PREPARE handoff_ends FROM @handoff_ends;
EXECUTE handoff_ends;
DEALLOCATE PREPARE handoff_ends;
