-- +goose Up

-- Campaigns in which people say whether others should have what they have. A row is never
-- removed.
CREATE TABLE reviews (
	id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	name         TEXT    NOT NULL CHECK (name <> ''),
	key          TEXT    NOT NULL UNIQUE,
	person_id    TEXT    NOT NULL, -- the only person whom it is about; empty: everybody
	started_by   TEXT    NOT NULL,
	login        TEXT    NOT NULL,
	reason       TEXT    NOT NULL,
	started_at   INTEGER NOT NULL,
	terms        TEXT    NOT NULL, -- the configuration's of that time, as JSON
	state        TEXT    NOT NULL CHECK (state IN ('freezing', 'open', 'closing', 'closed')),
	place        TEXT    NOT NULL, -- where freezing goes on
	digest       TEXT    NOT NULL, -- of the population so far
	items        INTEGER NOT NULL,
	accesses     INTEGER NOT NULL,
	scans        TEXT,             -- how old what was known of each app was
	opened_at    INTEGER,
	ends_at      INTEGER NOT NULL,
	closed_at    INTEGER,
	done_at      INTEGER,
	look_at      INTEGER, -- NULL: nothing is left to do
	reminders    INTEGER NOT NULL,
	escalated_at INTEGER,
	previewed_at INTEGER,
	followed_at  INTEGER,
	revision     INTEGER NOT NULL
) STRICT;

CREATE INDEX reviews_due ON reviews (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX reviews_name ON reviews (name, id);

-- The questions of a review.
CREATE TABLE review_items (
	review_id    INTEGER NOT NULL REFERENCES reviews (id),
	item         INTEGER NOT NULL,
	key          TEXT    NOT NULL,
	kind         TEXT    NOT NULL,
	person_id    TEXT    NOT NULL,
	app          TEXT    NOT NULL,
	account_id   TEXT    NOT NULL,
	entitlement  TEXT    NOT NULL,
	role         TEXT    NOT NULL,
	duty         TEXT    NOT NULL,
	exception_id INTEGER NOT NULL,
	because      TEXT    NOT NULL,
	facts        TEXT    NOT NULL, -- what reviewers are shown, as JSON
	people       INTEGER NOT NULL,
	accesses     INTEGER NOT NULL,
	reviewer     TEXT    NOT NULL, -- a person; empty: nobody can be asked
	authority    TEXT    NOT NULL,
	also         TEXT    NOT NULL, -- who may decide as well
	assigned_at  INTEGER,
	assigned_why TEXT    NOT NULL,
	decision     TEXT    NOT NULL CHECK (decision IN ('', 'keep', 'revoke', 'moot')),
	decided_by   TEXT    NOT NULL, -- a person, or 'nobody'
	decided_as   TEXT    NOT NULL,
	decided_at   INTEGER,
	operator     TEXT    NOT NULL,
	login        TEXT    NOT NULL,
	took         INTEGER NOT NULL, -- microseconds
	reason       TEXT    NOT NULL,
	effect_at    INTEGER,
	proven_at    INTEGER,
	PRIMARY KEY (review_id, item)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX review_items_key ON review_items (review_id, key);
CREATE INDEX review_items_open ON review_items (reviewer, review_id) WHERE decision = '';
CREATE INDEX review_items_person ON review_items (person_id, review_id) WHERE person_id <> '';

-- What a review is about: each thing that anybody had is in one item.
CREATE TABLE review_accesses (
	review_id   INTEGER NOT NULL REFERENCES reviews (id),
	person_id   TEXT    NOT NULL, -- empty: nobody's
	app         TEXT    NOT NULL,
	account_id  TEXT    NOT NULL,
	entitlement TEXT    NOT NULL, -- empty: the account
	item        INTEGER NOT NULL,
	effect      TEXT    NOT NULL, -- what was made to take it
	effect_at   INTEGER,
	proven_at   INTEGER,
	needs       TEXT    NOT NULL, -- why it does not go by itself
	PRIMARY KEY (review_id, person_id, app, account_id, entitlement)
) STRICT, WITHOUT ROWID;

CREATE INDEX review_accesses_item ON review_accesses (review_id, item);
CREATE INDEX review_accesses_awaited ON review_accesses (review_id) WHERE effect_at IS NOT NULL AND proven_at IS NULL;
