-- +goose Up

-- Whether the attempt may destroy the account: by deleting it, or by disabling it
-- where that is as good as deleting. Attempts of versions before this say no; of
-- theirs, those to delete are known by the kind of their step.
ALTER TABLE attempts ADD COLUMN destroys BIGINT NOT NULL DEFAULT 0;
