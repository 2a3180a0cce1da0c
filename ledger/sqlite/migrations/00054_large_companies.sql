-- +goose Up

-- How many people are employed is asked whenever access is taken or given to more than a few.
CREATE INDEX people_employed ON people (status) WHERE status IN ('active', 'on_leave', 'suspended');

-- The first few accounts of an app, as PostgreSQL needs it: here an index has the key of the table.
DROP INDEX links_app;
CREATE INDEX links_app ON links (app, state, person_id);
