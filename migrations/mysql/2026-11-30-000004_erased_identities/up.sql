-- Under which name the shop's own sign-in knows an erased customer, as a hash, until the identity tokens from before have
-- ended. Written so that it may run again.
SET @identities = (
    SELECT IF(COUNT(*) = 0,
        CONCAT(
            'ALTER TABLE customer_erasures ADD COLUMN identity VARCHAR(64) NULL, ',
            'ADD KEY customer_erasures_by_identity (identity, requested_at)'),
        'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'customer_erasures' AND column_name = 'identity');
PREPARE identities FROM @identities;
EXECUTE identities;
DEALLOCATE PREPARE identities;
