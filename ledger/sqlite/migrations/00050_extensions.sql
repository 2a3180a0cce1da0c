-- +goose Up

-- What prolongs an exception ends with it: it is looked up.
CREATE INDEX requests_extends ON requests (extends) WHERE extends <> 0;
