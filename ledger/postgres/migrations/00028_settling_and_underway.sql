-- +goose Up

-- When Tenure last changed the account, and last gave it anything. An app whose answers lag
-- may show it as it was before that. Of what was changed earlier, this is not known.
ALTER TABLE links ADD COLUMN changed_at BIGINT;
ALTER TABLE links ADD COLUMN gave_at BIGINT;
-- What calls that came to no proof may have changed since the link was proven: whether the
-- account is enabled, and entitlements.
ALTER TABLE links ADD COLUMN unsure_state BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN unsure_entitlements TEXT COLLATE "C";
-- The ID that the app's answer to a creation named.
ALTER TABLE links ADD COLUMN creating_account TEXT COLLATE "C" NOT NULL DEFAULT '';

-- When the app accepted all that a step asks for, which it has not shown yet.
ALTER TABLE steps ADD COLUMN acknowledged_at BIGINT;
-- What the app calls the operation by which it does what a step asks for, by which call and
-- when it began, and when to look again.
ALTER TABLE steps ADD COLUMN operation TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN operation_call TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN operation_at BIGINT;
ALTER TABLE steps ADD COLUMN operation_look_at BIGINT;

-- What the link of an attempt said before it of changes of the account, as JSON.
ALTER TABLE attempts ADD COLUMN before TEXT COLLATE "C" NOT NULL DEFAULT '';
