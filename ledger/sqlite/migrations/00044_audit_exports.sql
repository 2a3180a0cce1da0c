-- +goose Up

-- How far places outside have got the rows of the audit record: all leaves with a lower number.
CREATE TABLE exported (
	place TEXT    NOT NULL PRIMARY KEY,
	size  INTEGER NOT NULL,
	at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
