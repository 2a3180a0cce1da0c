-- +goose Up

-- When what was known of the person was erased, until HR says something of them again.
ALTER TABLE people ADD COLUMN erased_at INTEGER;

-- What people were called who were erased: nobody else is ever called so. A digest under a key
-- that the ledger has not (HMAC-SHA256), without whose it was and since when.
CREATE TABLE reserved (
	kind   TEXT NOT NULL CHECK (kind IN ('key', 'account', 'employee', 'username', 'email')),
	app    TEXT NOT NULL,
	digest TEXT NOT NULL,
	PRIMARY KEY (kind, app, digest)
) STRICT, WITHOUT ROWID;
