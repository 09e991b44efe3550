-- What the shopper was looking at when the session began, as JSON; NULL if the shop's page did not say. Written so that it
-- may run again.
SET @page_context = (
    SELECT IF(COUNT(*) = 0, 'ALTER TABLE sessions ADD COLUMN page_context TEXT NULL', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'sessions' AND column_name = 'page_context');
PREPARE page_context FROM @page_context;
EXECUTE page_context;
DEALLOCATE PREPARE page_context;
