-- +goose Up

-- Which process does what only one may do at a time.
CREATE TABLE leases (
	name    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	holder  TEXT COLLATE "C" NOT NULL,
	fence   BIGINT           NOT NULL, -- grows with every other holder
	ends_at BIGINT           NOT NULL -- by the store's clock, in nanoseconds since 1970
);
