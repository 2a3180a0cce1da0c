-- +goose Up

-- The account that was deleted last, and when: an app with a recycle bin may bring it back.
ALTER TABLE links ADD COLUMN binned_id TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN binned_at INTEGER;
