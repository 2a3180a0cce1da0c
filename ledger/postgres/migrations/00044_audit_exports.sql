-- +goose Up

-- How far places outside have got the rows of the audit record: all leaves with a lower number.
CREATE TABLE exported (
	place TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	size  BIGINT           NOT NULL,
	at    BIGINT           NOT NULL
);
