-- +goose Up

-- Since when somebody waits for accounts to be turned on or off, and up to which event the last
-- assessment has seen what HR said. NULL: as assessments of earlier versions left it.
ALTER TABLE people ADD COLUMN waits TEXT CHECK (json_valid(waits));

-- How many accounts were nobody's at the end of a scan, on and off. NULL: not counted.
ALTER TABLE scans ADD COLUMN orphans INTEGER;
ALTER TABLE scans ADD COLUMN orphans_off INTEGER;

-- Figures are of a time.
CREATE INDEX audit_at ON audit (at, seq);

-- The end of a scan counts what it has found of accounts that are nobody's.
CREATE INDEX findings_kind ON findings (app, kind, enabled) WHERE ended_at IS NULL;
