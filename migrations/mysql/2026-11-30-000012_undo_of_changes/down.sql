ALTER TABLE actions DROP COLUMN undoes;
