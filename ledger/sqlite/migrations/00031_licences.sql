-- +goose Up

-- How many seats each licence had when its app was last asked. The rows of an app are
-- replaced each time: they are what the app says, and no record of what was done.
CREATE TABLE licences (
	app        TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	seats      INTEGER NOT NULL, -- 0 if the app does not say
	used       INTEGER NOT NULL,
	awaited    INTEGER NOT NULL,
	counted_at INTEGER NOT NULL,
	PRIMARY KEY (app, name)
) STRICT;
