-- +goose Up

-- Random bytes with which the text of a row is hashed: without them, the hash tells nothing about
-- a text that was erased. Rows from before have none.
ALTER TABLE audit ADD COLUMN salt BLOB;

-- The rows of the record in the order in which they became certain.
CREATE TABLE audit_leaves (
	leaf INTEGER NOT NULL PRIMARY KEY,
	seq  INTEGER NOT NULL UNIQUE,
	text BLOB    NOT NULL, -- digest of cause and detail
	hash BLOB    NOT NULL
) STRICT;

-- The hashes of the tree over the leaves. The last tile of each level grows.
CREATE TABLE audit_tiles (
	level INTEGER NOT NULL,
	n     INTEGER NOT NULL,
	data  BLOB    NOT NULL,
	PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
	size INTEGER NOT NULL PRIMARY KEY,
	at   INTEGER NOT NULL,
	root BLOB    NOT NULL,
	note TEXT    NOT NULL
) STRICT;

-- Which place outside has taken which checkpoint.
CREATE TABLE published (
	place   TEXT    NOT NULL,
	size    INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	receipt TEXT    NOT NULL, -- what the place answered
	PRIMARY KEY (place, size)
) STRICT, WITHOUT ROWID;

-- Rows whose text was erased. The row that says who did it, and why, is by.
CREATE TABLE redactions (
	seq INTEGER NOT NULL PRIMARY KEY,
	by  INTEGER NOT NULL
) STRICT;

DROP TRIGGER audit_no_update;

-- A redacted row may lose its text, and nothing else of it changes.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
WHEN NEW.seq <> OLD.seq OR NEW.at <> OLD.at OR NEW.person_id <> OLD.person_id OR NEW.app <> OLD.app OR NEW.action <> OLD.action
	OR NEW.actor <> OLD.actor OR NEW.login <> OLD.login OR NEW.key <> OLD.key OR NEW.attempt <> OLD.attempt
	OR NEW.cause <> '' OR NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL
	OR NOT EXISTS (SELECT 1 FROM redactions WHERE seq = OLD.seq)
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_leaves_no_update BEFORE UPDATE ON audit_leaves
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_leaves_no_delete BEFORE DELETE ON audit_leaves
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_leaves_no_replace BEFORE INSERT ON audit_leaves
WHEN EXISTS (SELECT 1 FROM audit_leaves WHERE leaf = NEW.leaf OR seq = NEW.seq)
BEGIN
	SELECT RAISE(ABORT, 'the audit record is append-only');
END;
-- +goose StatementEnd
