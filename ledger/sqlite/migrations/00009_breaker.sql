-- +goose Up

-- Access that is to be taken, each with its cause: what the breaker counts.
CREATE TABLE withdrawals (
	person_id  TEXT    NOT NULL REFERENCES people (id),
	kind       TEXT    NOT NULL CHECK (kind IN ('leavers', 'disables', 'deletions')),
	key        TEXT    NOT NULL CHECK (key <> ''),
	state      TEXT    NOT NULL CHECK (state IN ('noticed', 'announced', 'waiting', 'held', 'admitted', 'refused', 'over', 'gone')),
	cohort     INTEGER,
	released   INTEGER NOT NULL DEFAULT 0, -- by an operator: not counted
	source     TEXT    NOT NULL DEFAULT '',
	event_id   TEXT    NOT NULL DEFAULT '',
	voids      INTEGER NOT NULL DEFAULT 0,
	apps       TEXT,
	why        TEXT    NOT NULL DEFAULT '',
	said_at    INTEGER,
	due_at     INTEGER,
	counted_at INTEGER NOT NULL,
	seen_at    INTEGER,
	PRIMARY KEY (person_id, kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX withdrawals_counted ON withdrawals (kind, counted_at);
CREATE INDEX withdrawals_cohort  ON withdrawals (cohort, person_id) WHERE cohort IS NOT NULL;

CREATE TABLE cohorts (
	id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind      TEXT    NOT NULL,
	state     TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'cancelled', 'ended')),
	counted   INTEGER NOT NULL,
	allowed   INTEGER NOT NULL,
	opened_at INTEGER NOT NULL,
	closed_at INTEGER,
	operator  TEXT    NOT NULL DEFAULT '',
	reason    TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX cohorts_open ON cohorts (kind) WHERE state = 'open'; -- one of each kind

-- Whoever counts changes this row first: so they do it one after the other.
CREATE TABLE breaker (
	id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	turn INTEGER NOT NULL
) STRICT;
