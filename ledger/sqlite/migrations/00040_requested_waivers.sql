-- +goose Up

-- That a rule of separation of duties is waived can be requested like a role.
CREATE TABLE requests_new (
	id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id    TEXT    NOT NULL REFERENCES people (id),
	role         TEXT    NOT NULL,
	duty         TEXT    NOT NULL, -- a rule of separation of duties that is to be waived
	control      TEXT    NOT NULL, -- what compensates for it
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
	terms        TEXT    NOT NULL, -- the rules of that time, as JSON
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
	revision     INTEGER NOT NULL,
	CHECK ((role <> '') <> (duty <> ''))
) STRICT;

INSERT INTO requests_new (id, person_id, role, duty, control, starts_at, for_micros, reason, ticket, asked_by, operator, login, asked_at, emergency, extends, terms, preview, state, stage,
	stage_at, expires_at, escalated_at, reminders, look_at, exception_id, decided_at, why, proven_at, revision)
SELECT id, person_id, role, '', '', starts_at, for_micros, reason, ticket, asked_by, operator, login, asked_at, emergency, extends, terms, preview, state, stage,
	stage_at, expires_at, escalated_at, reminders, look_at, exception_id, decided_at, why, proven_at, revision FROM requests;

CREATE TABLE votes_new (
	request_id INTEGER NOT NULL REFERENCES requests_new (id),
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

INSERT INTO votes_new (request_id, stage, voter, asked_at, reminders, moot_at, authority, vote, operator, login, shown, reason, at)
SELECT request_id, stage, voter, asked_at, reminders, moot_at, authority, vote, operator, login, shown, reason, at FROM votes;

DROP TABLE votes;
DROP TABLE requests;
ALTER TABLE requests_new RENAME TO requests;
ALTER TABLE votes_new RENAME TO votes;

CREATE INDEX requests_due ON requests (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX requests_person ON requests (person_id, id);
CREATE INDEX votes_voter ON votes (voter, request_id) WHERE vote = '';
