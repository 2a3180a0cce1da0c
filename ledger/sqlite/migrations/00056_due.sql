-- +goose Up

-- When the next attempt at a step that failed is due, and how much later than that attempts have
-- begun since trying_since, in microseconds.
ALTER TABLE steps ADD COLUMN due_at INTEGER;
ALTER TABLE steps ADD COLUMN queued INTEGER NOT NULL DEFAULT 0;
