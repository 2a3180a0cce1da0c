-- +goose Up

-- Looks at all accounts of an app.
CREATE TABLE scans (
	id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	app            TEXT NOT NULL,
	key            TEXT NOT NULL,
	state          TEXT NOT NULL CHECK (state IN ('listing', 'comparing', 'done', 'suspicious', 'failed', 'abandoned')),
	started_at     INTEGER NOT NULL,
	listed_at      INTEGER,
	ended_at       INTEGER,
	accounts       INTEGER NOT NULL DEFAULT 0,
	enabled        INTEGER NOT NULL DEFAULT 0,
	reported       INTEGER NOT NULL DEFAULT -1, -- the number that the app itself gave; -1: none
	token          TEXT NOT NULL DEFAULT '', -- where listing goes on
	place          TEXT NOT NULL DEFAULT '', -- the account after which comparing goes on
	why            TEXT NOT NULL DEFAULT '',
	believed_at    INTEGER,
	believed_by    TEXT NOT NULL DEFAULT '',
	believe_reason TEXT NOT NULL DEFAULT '',
	login          TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX scans_key ON scans (app, key);
CREATE INDEX scans_app ON scans (app, id);

-- Accounts, each as a scan saw it last.
CREATE TABLE observed (
	app          TEXT NOT NULL,
	account_id   TEXT NOT NULL,
	scan         INTEGER NOT NULL, -- the last scan that saw it
	at           INTEGER NOT NULL,
	username     TEXT NOT NULL,
	external_id  TEXT NOT NULL,
	addresses    TEXT,
	employee     TEXT NOT NULL,
	active       INTEGER NOT NULL,
	entitlements TEXT,
	last_used_at INTEGER,
	seen         TEXT,          -- a digest of each managed attribute
	baseline     TEXT,          -- what seen was in the first scan after the last proof
	baseline_at  INTEGER,
	first_at     INTEGER NOT NULL,
	PRIMARY KEY (app, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX observed_scan ON observed (scan);

-- Differences between apps and links.
CREATE TABLE findings (
	id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	app        TEXT NOT NULL,
	account_id TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('state', 'off', 'missing', 'attributes', 'lacking', 'stray', 'unlinked', 'disputed', 'orphan')),
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

CREATE UNIQUE INDEX findings_open ON findings (app, account_id, kind, what) WHERE ended_at IS NULL;
CREATE INDEX findings_person ON findings (person_id) WHERE ended_at IS NULL AND person_id <> '';
CREATE INDEX findings_repaired ON findings (app, account_id, kind, what, ended_at) WHERE state = 'repaired';

-- The account that was deleted last may be there again.
CREATE INDEX links_binned ON links (app, binned_id) WHERE binned_id <> '';
