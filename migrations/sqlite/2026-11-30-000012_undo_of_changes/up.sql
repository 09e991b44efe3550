-- The change that this one takes back.
ALTER TABLE actions ADD COLUMN undoes TEXT NULL;
