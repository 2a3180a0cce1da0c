-- +goose Up

-- How long somebody took over an item counts from their decision before: it is looked up.
CREATE INDEX review_items_decided ON review_items (review_id, decided_by, decided_at) WHERE decided_by <> '';

-- Whether an exception was placed before is looked up, also among those that have ended.
CREATE INDEX exceptions_placed ON exceptions (person_id, decided_at);
