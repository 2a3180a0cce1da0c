-- +goose Up

-- Two IDs of one human: what the old one had is the new one's. A row is never changed
-- but to say who undid it.
CREATE TABLE same_people (
	id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	new_id     TEXT    NOT NULL REFERENCES people (id),
	old_id     TEXT    NOT NULL REFERENCES people (id),
	at         INTEGER NOT NULL,
	operator   TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	carried    TEXT    NOT NULL CHECK (json_valid(carried)), -- the apps
	username   TEXT    NOT NULL DEFAULT '', -- carried too, if it was
	ended_at   INTEGER,
	ended_by   TEXT    NOT NULL DEFAULT '',
	end_reason TEXT    NOT NULL DEFAULT '',
	CHECK (new_id <> old_id)
) STRICT;

CREATE UNIQUE INDEX same_people_old ON same_people (old_id) WHERE ended_at IS NULL;
CREATE INDEX same_people_new ON same_people (new_id) WHERE ended_at IS NULL;

-- Whose the accounts are now: the last one of a chain of IDs.
ALTER TABLE people ADD COLUMN carried_to TEXT NOT NULL DEFAULT '';

CREATE INDEX people_carried ON people (carried_to) WHERE carried_to <> '';
CREATE INDEX people_name ON people (lower(family_name), lower(given_name));
