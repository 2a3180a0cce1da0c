-- +goose Up

-- The breaker counts orphaned accounts that are to go.
CREATE TABLE withdrawals_new (
	person_id  TEXT    NOT NULL REFERENCES people (id),
	kind       TEXT    NOT NULL CHECK (kind IN ('leavers', 'disables', 'deletions', 'suspensions', 'losses', 'grants', 'orphans')),
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

INSERT INTO withdrawals_new SELECT person_id, kind, key, state, cohort, released, source, event_id, voids, apps, why,
	said_at, due_at, counted_at, seen_at FROM withdrawals;
DROP TABLE withdrawals;
ALTER TABLE withdrawals_new RENAME TO withdrawals;

CREATE INDEX withdrawals_counted ON withdrawals (kind, counted_at);
CREATE INDEX withdrawals_cohort  ON withdrawals (cohort, person_id) WHERE cohort IS NOT NULL;

-- Scans find what is really there and conflicts with a rule of separation of duties.
CREATE TABLE findings_new (
	id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	app        TEXT NOT NULL,
	account_id TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('state', 'off', 'missing', 'attributes', 'lacking', 'stray', 'unlinked', 'disputed', 'orphan', 'duty')),
	what       TEXT NOT NULL DEFAULT '', -- the entitlement or the attribute
	person_id  TEXT NOT NULL DEFAULT '',
	candidates TEXT,
	by_kind    TEXT NOT NULL DEFAULT '',
	enabled    INTEGER NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('pending', 'open', 'reported', 'repairing', 'gone', 'repaired')),
	why        TEXT NOT NULL DEFAULT '',
	scans      INTEGER NOT NULL,
	first_scan INTEGER NOT NULL,
	last_scan  INTEGER NOT NULL,
	found_at   INTEGER NOT NULL,
	decided_at INTEGER,
	decided_by TEXT NOT NULL DEFAULT '',
	reason     TEXT NOT NULL DEFAULT '',
	login      TEXT NOT NULL DEFAULT '',
	ended_at   INTEGER,
	CHECK ((ended_at IS NOT NULL) = (state IN ('gone', 'repaired')))
) STRICT;

INSERT INTO findings_new SELECT id, app, account_id, kind, what, person_id, candidates, by_kind, enabled, state, why, scans, first_scan, last_scan,
	found_at, decided_at, decided_by, reason, login, ended_at FROM findings;
DROP TABLE findings;
ALTER TABLE findings_new RENAME TO findings;

CREATE UNIQUE INDEX findings_open ON findings (app, account_id, kind, what) WHERE ended_at IS NULL;
CREATE INDEX findings_person ON findings (person_id) WHERE ended_at IS NULL AND person_id <> '';
CREATE INDEX findings_repaired ON findings (app, account_id, kind, what, ended_at) WHERE state = 'repaired';
