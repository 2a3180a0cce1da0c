-- +goose Up

-- Only PostgreSQL's pages need room for another version of an event: SQLite writes over the first.
SELECT 1;
