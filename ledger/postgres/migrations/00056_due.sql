-- +goose Up

-- When the next attempt at a step that failed is due, and how much later than that attempts have
-- begun since trying_since, in microseconds.
ALTER TABLE steps ADD COLUMN due_at BIGINT;
ALTER TABLE steps ADD COLUMN queued BIGINT NOT NULL DEFAULT 0;
