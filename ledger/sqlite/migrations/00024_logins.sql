-- +goose Up

-- The login from which an operator decided, beside the name that they gave. What was
-- decided before this has none.
ALTER TABLE audit ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE waivers ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE cohorts ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE holds ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE holds ADD COLUMN released_login TEXT NOT NULL DEFAULT '';
ALTER TABLE retentions ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE retentions ADD COLUMN ended_login TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN login TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN done_login TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN ended_login TEXT NOT NULL DEFAULT '';
