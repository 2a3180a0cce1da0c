-- +goose Up

-- Marks the file as a ledger of Tenure's ("TNRL"), for Open and for file(1).
PRAGMA application_id = 0x544E524C;

-- Two processes may find the same migration pending. Each is one transaction
-- that ends with its row here: this makes the second one's fail and roll back.
CREATE UNIQUE INDEX goose_db_version_once ON goose_db_version (version_id);

-- Instants are INTEGER microseconds since 1970 UTC, NULL for none.

CREATE TABLE people (
	id           TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
	username     TEXT    CHECK (username <> ''),
	username_key TEXT    UNIQUE, -- username in lower case
	given_name   TEXT    NOT NULL DEFAULT '',
	family_name  TEXT    NOT NULL DEFAULT '',
	status       TEXT    NOT NULL DEFAULT '',
	department   TEXT    NOT NULL DEFAULT '',
	job_title    TEXT    NOT NULL DEFAULT '',
	manager_id   TEXT    NOT NULL DEFAULT '',
	due_at       INTEGER,
	due_what     TEXT    NOT NULL DEFAULT '',
	assessed_at  INTEGER,
	last_seq     INTEGER NOT NULL DEFAULT 0,
	revision     INTEGER NOT NULL DEFAULT 0,
	-- the revisions that the last saved assessment read and left
	assessed_from INTEGER NOT NULL DEFAULT -1,
	assessed_rev  INTEGER NOT NULL DEFAULT 0,
	-- the manager's doing that no saved assessment has seen, and its revision
	nudged_at    INTEGER,
	nudged_rev   INTEGER NOT NULL DEFAULT 0,
	CHECK ((username IS NULL) = (username_key IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX people_due     ON people (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX people_manager ON people (manager_id) WHERE manager_id <> '';

CREATE TABLE events (
	seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	source    TEXT    NOT NULL,
	id        TEXT    NOT NULL,
	person_id TEXT    NOT NULL REFERENCES people (id),
	at        INTEGER NOT NULL,
	topic     TEXT    NOT NULL,
	partition INTEGER NOT NULL,
	"offset"  INTEGER NOT NULL,
	delivered INTEGER NOT NULL DEFAULT 0,
	body      TEXT    NOT NULL CHECK (json_valid(body)), -- hr.Event
	UNIQUE (source, id)
) STRICT;

CREATE INDEX events_person ON events (person_id, seq);

CREATE TABLE links (
	person_id      TEXT    NOT NULL REFERENCES people (id),
	app            TEXT    NOT NULL CHECK (app <> ''),
	account_id     TEXT    NOT NULL DEFAULT '',
	username       TEXT    NOT NULL DEFAULT '',
	state          TEXT    NOT NULL CHECK (state IN ('planned', 'active', 'disabled', 'deleted')),
	adopted        INTEGER NOT NULL DEFAULT 0,
	entitlements   TEXT    CHECK (json_valid(entitlements)), -- sorted names
	attributes     TEXT    NOT NULL DEFAULT '',
	created_at     INTEGER,
	disabled_at    INTEGER,
	stripped_at    INTEGER,
	handed_over_at INTEGER,
	deleted_at     INTEGER,
	proven_at      INTEGER,
	doubt_until    INTEGER,
	PRIMARY KEY (person_id, app)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_app ON links (app, state);

CREATE TABLE steps (
	person_id       TEXT    NOT NULL REFERENCES people (id),
	key             TEXT    NOT NULL CHECK (key <> ''),
	app             TEXT    NOT NULL,
	kind            TEXT    NOT NULL,
	state           TEXT    NOT NULL CHECK (state IN ('open', 'attention', 'skipped', 'done', 'superseded')),
	attempts        INTEGER NOT NULL DEFAULT 0,
	code            TEXT    NOT NULL DEFAULT '',
	message         TEXT    NOT NULL DEFAULT '',
	reason          TEXT    NOT NULL DEFAULT '',
	planned_at      INTEGER,
	trying_since    INTEGER, -- the first attempt since it was planned or retried
	last_attempt_at INTEGER,
	finished_at     INTEGER,
	-- the last outcome, by which a repeated call is recognised
	outcome         TEXT,
	PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX steps_unfinished ON steps (person_id, app, key) WHERE state IN ('open', 'attention', 'skipped');

-- Attempts that may still be under way: begun, with no outcome recorded. They
-- outlive the plan that wanted the step.
CREATE TABLE attempts (
	id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id TEXT    NOT NULL REFERENCES people (id),
	key       TEXT    NOT NULL,
	app       TEXT    NOT NULL,
	at        INTEGER NOT NULL,
	deadline  INTEGER NOT NULL,
	gives     INTEGER NOT NULL,
	UNIQUE (person_id, key, at, deadline)
) STRICT;

CREATE INDEX attempts_app ON attempts (person_id, app);

CREATE TABLE waivers (
	person_id TEXT    NOT NULL REFERENCES people (id),
	key       TEXT    NOT NULL CHECK (key <> ''), -- of the conflict
	operator  TEXT    NOT NULL,
	reason    TEXT    NOT NULL,
	at        INTEGER NOT NULL,
	PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
	seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	at        INTEGER NOT NULL,
	person_id TEXT    NOT NULL,
	app       TEXT    NOT NULL,
	action    TEXT    NOT NULL,
	actor     TEXT    NOT NULL,
	cause     TEXT    NOT NULL,
	detail    TEXT    CHECK (json_valid(detail)),
	-- what the row is about, by which a repeated call is recognised
	key       TEXT    NOT NULL,
	attempt   INTEGER NOT NULL,
	UNIQUE (person_id, key, action, actor, at, attempt)
) STRICT;

CREATE INDEX audit_person ON audit (person_id, seq);

-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd

-- INSERT OR REPLACE removes the old row without firing a DELETE trigger.
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
	OR EXISTS (SELECT 1 FROM audit WHERE person_id = NEW.person_id AND key = NEW.key AND action = NEW.action
		AND actor = NEW.actor AND at = NEW.at AND attempt = NEW.attempt)
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd
