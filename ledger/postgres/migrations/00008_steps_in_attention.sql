-- +goose Up

-- What needs attention is looked for among everybody's steps, and is little.
CREATE INDEX steps_attention ON steps (person_id, key) WHERE state = 'attention';
