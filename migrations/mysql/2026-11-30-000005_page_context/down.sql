ALTER TABLE sessions DROP COLUMN page_context;
