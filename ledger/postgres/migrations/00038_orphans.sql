-- +goose Up

-- The breaker counts orphaned accounts that are to go.
ALTER TABLE withdrawals DROP CONSTRAINT withdrawals_kind_check;
ALTER TABLE withdrawals ADD CONSTRAINT withdrawals_kind_check
	CHECK (kind IN ('leavers', 'disables', 'deletions', 'suspensions', 'losses', 'grants', 'orphans'));

-- Scans find what is really there and conflicts with a rule of separation of duties.
ALTER TABLE findings DROP CONSTRAINT findings_kind_check;
ALTER TABLE findings ADD CONSTRAINT findings_kind_check
	CHECK (kind IN ('state', 'off', 'missing', 'attributes', 'lacking', 'stray', 'unlinked', 'disputed', 'orphan', 'duty'));
