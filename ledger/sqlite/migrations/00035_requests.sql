-- +goose Up

-- Who asked for a role, and what became of it. A row is never removed.
CREATE TABLE requests (
	id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id    TEXT    NOT NULL REFERENCES people (id),
	role         TEXT    NOT NULL CHECK (role <> ''),
	starts_at    INTEGER, -- NULL: when it is approved
	for_micros   INTEGER NOT NULL CHECK (for_micros > 0),
	reason       TEXT    NOT NULL,
	ticket       TEXT    NOT NULL,
	asked_by     TEXT    NOT NULL, -- a person
	operator     TEXT    NOT NULL, -- who wrote it down
	login        TEXT    NOT NULL,
	asked_at     INTEGER NOT NULL,
	emergency    INTEGER NOT NULL CHECK (emergency IN (0, 1)),
	extends      INTEGER NOT NULL, -- the exception that it prolongs; 0: none
	terms        TEXT    NOT NULL, -- the role's rules of that time, as JSON
	preview      TEXT    NOT NULL, -- digest of what would have been done at that time
	state        TEXT    NOT NULL CHECK (state IN ('asked', 'approved', 'denied', 'cancelled', 'expired', 'confirming', 'confirmed', 'disputed')),
	stage        INTEGER NOT NULL,
	stage_at     INTEGER,
	expires_at   INTEGER,
	escalated_at INTEGER,
	reminders    INTEGER NOT NULL DEFAULT 0,
	look_at      INTEGER, -- NULL: nothing is left to do
	exception_id INTEGER NOT NULL DEFAULT 0, -- the grant; 0: none
	decided_at   INTEGER,
	why          TEXT    NOT NULL,
	proven_at    INTEGER,
	revision     INTEGER NOT NULL
) STRICT;

CREATE INDEX requests_due ON requests (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX requests_person ON requests (person_id, id);

-- Who was asked about a request, and what they said.
CREATE TABLE votes (
	request_id INTEGER NOT NULL REFERENCES requests (id),
	stage      INTEGER NOT NULL,
	voter      TEXT    NOT NULL, -- a person
	asked_at   INTEGER NOT NULL,
	reminders  INTEGER NOT NULL,
	moot_at    INTEGER, -- since when they are asked no longer
	authority  TEXT    NOT NULL, -- why they may decide
	vote       TEXT    NOT NULL CHECK (vote IN ('', 'approve', 'deny')),
	operator   TEXT    NOT NULL, -- who wrote it down
	login      TEXT    NOT NULL,
	shown      TEXT    NOT NULL, -- digest of what would have been done at that time
	reason     TEXT    NOT NULL,
	at         INTEGER,
	PRIMARY KEY (request_id, stage, voter)
) STRICT, WITHOUT ROWID;

CREATE INDEX votes_voter ON votes (voter, request_id) WHERE vote = '';

-- Who decides in somebody's place for a time.
CREATE TABLE stand_ins (
	id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id   TEXT    NOT NULL REFERENCES people (id),
	stand_in    TEXT    NOT NULL,
	starts_at   INTEGER NOT NULL,
	ends_at     INTEGER NOT NULL,
	operator    TEXT    NOT NULL,
	login       TEXT    NOT NULL,
	reason      TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	ended_at    INTEGER,
	ended_by    TEXT    NOT NULL DEFAULT '',
	ended_login TEXT    NOT NULL DEFAULT '',
	end_reason  TEXT    NOT NULL DEFAULT '',
	CHECK (ends_at > starts_at AND stand_in <> person_id)
) STRICT;

CREATE INDEX stand_ins_person ON stand_ins (person_id, id) WHERE ended_at IS NULL;
