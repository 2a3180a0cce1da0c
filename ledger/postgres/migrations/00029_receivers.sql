-- +goose Up

-- Who is given the account's data, as JSON.
ALTER TABLE links ADD COLUMN receiver TEXT COLLATE "C";
