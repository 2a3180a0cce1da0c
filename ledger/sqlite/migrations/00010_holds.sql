-- +goose Up

-- Until when nothing of a person may be deleted for good. A row is never changed but
-- to say who released it.
CREATE TABLE holds (
	id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id      TEXT    NOT NULL REFERENCES people (id),
	placed_at      INTEGER NOT NULL,
	expires_at     INTEGER NOT NULL,
	operator       TEXT    NOT NULL,
	reason         TEXT    NOT NULL,
	released_at    INTEGER,
	released_by    TEXT    NOT NULL DEFAULT '',
	release_reason TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX holds_person ON holds (person_id, id);

-- How long one person's accounts are kept, in place of what the configuration says.
CREATE TABLE retentions (
	id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id  TEXT    NOT NULL REFERENCES people (id),
	app        TEXT    NOT NULL, -- empty: all
	until_at   INTEGER, -- or else ...
	for_micros INTEGER, -- ... this long from the proof that the account is off
	set_at     INTEGER NOT NULL,
	operator   TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	ended_at   INTEGER,
	ended_by   TEXT    NOT NULL DEFAULT '',
	end_reason TEXT    NOT NULL DEFAULT '',
	CHECK ((until_at IS NULL) <> (for_micros IS NULL))
) STRICT;

CREATE UNIQUE INDEX retentions_in_force ON retentions (person_id, app) WHERE ended_at IS NULL;

-- Deletions that an operator has to approve, by the step that does them.
CREATE TABLE approvals (
	person_id   TEXT    NOT NULL REFERENCES people (id),
	key         TEXT    NOT NULL CHECK (key <> ''),
	app         TEXT    NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('asked', 'approved', 'over')),
	asked_at    INTEGER,
	look_at     INTEGER,
	reminders   INTEGER NOT NULL DEFAULT 0,
	approved_at INTEGER,
	operator    TEXT    NOT NULL DEFAULT '',
	reason      TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX approvals_asked ON approvals (person_id, key) WHERE state = 'asked';
