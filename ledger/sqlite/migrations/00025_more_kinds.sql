-- +goose Up

-- The breaker counts more kinds: suspensions, entitlements that are lost, and grants.
CREATE TABLE withdrawals_new (
	person_id  TEXT    NOT NULL REFERENCES people (id),
	kind       TEXT    NOT NULL CHECK (kind IN ('leavers', 'disables', 'deletions', 'suspensions', 'losses', 'grants')),
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
