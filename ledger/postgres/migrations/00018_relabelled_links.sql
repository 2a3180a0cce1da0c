-- +goose Up

-- What an account is still to be known by: the username that it is to get, and the
-- person whose ID it carries and who is the same human as the one whose link it is.
ALTER TABLE links ADD COLUMN rename_to TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN owner_was TEXT COLLATE "C" NOT NULL DEFAULT '';
