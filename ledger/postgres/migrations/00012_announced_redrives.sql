-- +goose Up

-- The digest of the record that an operator last announced to send again: only such a
-- record, when it arrives, is taken for this letter's. Records that an older version
-- sent again, and that have not arrived yet, are sent once more (tenure dlq redrive --again).
ALTER TABLE dead_letters ADD COLUMN sending TEXT COLLATE "C" NOT NULL DEFAULT '';
