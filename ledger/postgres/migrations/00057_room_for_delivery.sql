-- +goose Up

-- An event is written twice: when it is recorded, and when Temporal has been told. With a tenth of
-- each page free, the second version stays in the page of the first, and no index gets an entry.
-- Without it, events are recorded into whatever is left of full pages.
ALTER TABLE events SET (fillfactor = 90);
