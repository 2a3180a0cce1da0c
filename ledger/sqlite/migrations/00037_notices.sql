-- +goose Up

-- Which process does what only one may do at a time.
CREATE TABLE leases (
	name    TEXT    NOT NULL PRIMARY KEY,
	holder  TEXT    NOT NULL,
	fence   INTEGER NOT NULL, -- grows with every other holder
	ends_at INTEGER NOT NULL -- by the store's clock, in nanoseconds since 1970
) STRICT;
