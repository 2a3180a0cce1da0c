-- +goose Up

-- By what single people's access differs from what the rules give. A row is never changed but
-- to say that it has ended.
CREATE TABLE exceptions (
	id                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id         TEXT    NOT NULL REFERENCES people (id),
	kind              TEXT    NOT NULL CHECK (kind IN ('grant', 'withhold', 'accept', 'waive')),
	role              TEXT    NOT NULL, -- of a grant
	app               TEXT    NOT NULL, -- of what is withheld or accepted
	entitlement       TEXT    NOT NULL, -- likewise; empty: the account
	duty              TEXT    NOT NULL, -- of a waiver: the rule
	control           TEXT    NOT NULL, -- of a waiver: what compensates for it
	employment_source TEXT    NOT NULL, -- the event that opened the employment ...
	employment_id     TEXT    NOT NULL, -- ... with which it ends
	starts_at         INTEGER NOT NULL,
	ends_at           INTEGER, -- NULL: with the employment
	origin            TEXT    NOT NULL CHECK (origin <> ''),
	emergency         INTEGER NOT NULL CHECK (emergency IN (0, 1)),
	decided_at        INTEGER NOT NULL,
	decided_by        TEXT    NOT NULL,
	login             TEXT    NOT NULL,
	reason            TEXT    NOT NULL,
	ended_at          INTEGER,
	ended_by          TEXT    NOT NULL DEFAULT '',
	ended_login       TEXT    NOT NULL DEFAULT '',
	end_reason        TEXT    NOT NULL DEFAULT '',
	CHECK (ends_at IS NOT NULL OR kind = 'withhold'),
	CHECK ((kind = 'grant') = (role <> '')),
	CHECK ((kind IN ('withhold', 'accept')) = (app <> '')),
	CHECK ((kind = 'waive') = (duty <> ''))
) STRICT;

CREATE INDEX exceptions_person ON exceptions (person_id, id) WHERE ended_at IS NULL;
CREATE INDEX exceptions_role ON exceptions (role, id) WHERE kind = 'grant' AND ended_at IS NULL;
