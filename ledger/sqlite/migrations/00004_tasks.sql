-- +goose Up

-- What humans are asked to do in apps that have no API.
CREATE TABLE tasks (
	id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	person_id     TEXT    NOT NULL REFERENCES people (id),
	app           TEXT    NOT NULL,
	key           TEXT    NOT NULL, -- of the step
	kind          TEXT    NOT NULL,
	work          TEXT    NOT NULL CHECK (json_valid(work)), -- ledger.TaskWork
	assignee      TEXT    NOT NULL,
	escalate_to   TEXT    NOT NULL,
	second_person INTEGER NOT NULL,
	state         TEXT    NOT NULL CHECK (state IN ('open', 'confirming', 'done', 'refused', 'withdrawn')),
	opened_at     INTEGER NOT NULL,
	due_at        INTEGER,
	look_at       INTEGER,
	reminders     INTEGER NOT NULL DEFAULT 0,
	escalated_at  INTEGER,
	done_by       TEXT    NOT NULL DEFAULT '',
	proof         TEXT    NOT NULL DEFAULT '',
	done_at       INTEGER,
	account       TEXT    NOT NULL DEFAULT '',
	ended_by      TEXT    NOT NULL DEFAULT '',
	why           TEXT    NOT NULL DEFAULT '',
	ended_at      INTEGER
) STRICT;

-- At most one is unfinished for a step.
CREATE UNIQUE INDEX tasks_unfinished ON tasks (person_id, key) WHERE state IN ('open', 'confirming');
CREATE INDEX tasks_person ON tasks (person_id, key, id);
