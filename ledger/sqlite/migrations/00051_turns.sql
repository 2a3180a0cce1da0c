-- +goose Up

-- The first event of a person about which Temporal is told only when it is their turn; NULL
-- if they do not wait. Everything that is recorded after it waits too, or ends the wait.
ALTER TABLE people ADD COLUMN turn_seq INTEGER;
-- The manager whom those events name.
ALTER TABLE people ADD COLUMN turn_manager TEXT NOT NULL DEFAULT '';
-- When their run was last to be told of an event; NULL once an assessment has found nothing
-- more to do at once.
ALTER TABLE people ADD COLUMN told_at INTEGER;

CREATE INDEX people_line ON people (last_seq) WHERE turn_seq IS NOT NULL;
CREATE INDEX people_told ON people (told_at)  WHERE told_at IS NOT NULL;
