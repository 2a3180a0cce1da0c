-- +goose Up

-- What people and their accounts are called, and were called once. Rows are only added.
-- Usernames, addresses and employee numbers are in lower case.
CREATE TABLE identifiers (
	kind      TEXT NOT NULL CHECK (kind IN ('account', 'person', 'employee', 'username', 'email')),
	app       TEXT NOT NULL DEFAULT '', -- of an account
	value     TEXT NOT NULL,
	person_id TEXT NOT NULL,
	since     INTEGER NOT NULL,
	PRIMARY KEY (kind, app, value, person_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX identifiers_person ON identifiers (person_id, kind);

INSERT INTO identifiers (kind, value, person_id, since)
	SELECT 'username', username_key, id, coalesce(assessed_at, 0) FROM people WHERE username_key IS NOT NULL;
INSERT INTO identifiers (kind, app, value, person_id, since)
	SELECT 'account', app, account_id, person_id, coalesce(created_at, 0) FROM links WHERE account_id <> '';
