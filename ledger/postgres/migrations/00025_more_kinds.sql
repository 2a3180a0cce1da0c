-- +goose Up

-- The breaker counts more kinds: suspensions, entitlements that are lost, and grants.
ALTER TABLE withdrawals DROP CONSTRAINT withdrawals_kind_check;
ALTER TABLE withdrawals ADD CONSTRAINT withdrawals_kind_check
	CHECK (kind IN ('leavers', 'disables', 'deletions', 'suspensions', 'losses', 'grants'));
