-- +goose Up

-- When the next attempt at a step that failed is due. How much later it begins is not the step's fault.
ALTER TABLE steps ADD COLUMN due_at BIGINT;
