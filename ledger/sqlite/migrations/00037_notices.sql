-- +goose Up

-- Which process does what only one may do at a time.
CREATE TABLE leases (
	name    TEXT    NOT NULL PRIMARY KEY,
	holder  TEXT    NOT NULL,
	fence   INTEGER NOT NULL, -- grows with every other holder
	ends_at INTEGER NOT NULL -- by the store's clock, in nanoseconds since 1970
) STRICT;

-- What people and channels are told, and were told.
CREATE TABLE notices (
	id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	key       TEXT    NOT NULL UNIQUE, -- the same is told once
	kind      TEXT    NOT NULL CHECK (kind <> ''),
	about     TEXT    NOT NULL CHECK (about <> ''), -- 'r-12', 'person:10004'
	person_id TEXT    NOT NULL,
	app       TEXT    NOT NULL,
	occasion  TEXT    NOT NULL,
	recipient TEXT    NOT NULL CHECK (recipient <> ''), -- 'person:10004', 'chat:security', 'mail:it@example.com'
	urgent    INTEGER NOT NULL CHECK (urgent IN (0, 1)),
	made_at   INTEGER NOT NULL,
	send_at   INTEGER NOT NULL,
	state     TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'moot', 'failed')),
	attempts  INTEGER NOT NULL,
	message   TEXT    NOT NULL, -- the message that it is part of
	first_at  INTEGER, -- when somebody began to send it
	tried_at  INTEGER, -- when somebody began to send it last
	why       TEXT    NOT NULL,
	ended_at  INTEGER
) STRICT;

CREATE INDEX notices_due ON notices (send_at) WHERE state = 'waiting';
CREATE INDEX notices_tried ON notices (tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX notices_open ON notices (state) WHERE state IN ('waiting', 'failed');
CREATE INDEX notices_about ON notices (about, id);
