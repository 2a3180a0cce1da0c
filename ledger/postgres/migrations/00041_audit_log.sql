-- +goose Up

-- Random bytes with which the text of a row is hashed: without them, the hash tells nothing about
-- a text that was erased. Rows from before have none.
ALTER TABLE audit ADD COLUMN salt BYTEA;

-- The rows of the record in the order in which they became certain.
CREATE TABLE audit_leaves (
	leaf BIGINT NOT NULL PRIMARY KEY,
	seq  BIGINT NOT NULL UNIQUE,
	text BYTEA  NOT NULL, -- digest of cause and detail
	hash BYTEA  NOT NULL
);

-- The hashes of the tree over the leaves. The last tile of each level grows.
CREATE TABLE audit_tiles (
	level BIGINT NOT NULL,
	n     BIGINT NOT NULL,
	data  BYTEA  NOT NULL,
	PRIMARY KEY (level, n)
);

-- Hashes cannot be compressed.
ALTER TABLE audit_tiles ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE checkpoints (
	size BIGINT           NOT NULL PRIMARY KEY,
	at   BIGINT           NOT NULL,
	root BYTEA            NOT NULL,
	note TEXT COLLATE "C" NOT NULL
);

-- Which place outside has taken which checkpoint.
CREATE TABLE published (
	place   TEXT COLLATE "C" NOT NULL,
	size    BIGINT           NOT NULL,
	at      BIGINT           NOT NULL,
	receipt TEXT COLLATE "C" NOT NULL, -- what the place answered
	PRIMARY KEY (place, size)
);

-- Rows whose text was erased. The row that says who did it, and why, is by.
CREATE TABLE redactions (
	seq BIGINT NOT NULL PRIMARY KEY,
	by  BIGINT NOT NULL
);

DROP TRIGGER audit_no_change ON audit;

-- A redacted row may lose its text, and nothing else of it changes.
-- +goose StatementBegin
CREATE FUNCTION audit_loses_text_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.seq <> OLD.seq OR NEW.at <> OLD.at OR NEW.person_id <> OLD.person_id OR NEW.app <> OLD.app OR NEW.action <> OLD.action
		OR NEW.actor <> OLD.actor OR NEW.login <> OLD.login OR NEW.key <> OLD.key OR NEW.attempt <> OLD.attempt
		OR NEW.cause <> '' OR NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL
		OR NOT EXISTS (SELECT FROM redactions r WHERE r.seq = OLD.seq)
	THEN
		RAISE EXCEPTION 'the audit record is append-only';
	END IF;
	RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
	FOR EACH ROW EXECUTE FUNCTION audit_loses_text_only();
CREATE TRIGGER audit_no_delete BEFORE DELETE OR TRUNCATE ON audit
	FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_leaves_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaves
	FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
