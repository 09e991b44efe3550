-- What the shopper was looking at when the session began, as JSON; NULL if the shop's page did not say.
ALTER TABLE sessions ADD COLUMN page_context TEXT NULL;
