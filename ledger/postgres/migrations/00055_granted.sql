-- +goose Up

-- Who has an entitlement is asked when a leaver's data go to the holder of a role. An index takes
-- no more than some bytes.
CREATE INDEX links_granted ON links (app, substr(entitlements, 1, 400), person_id)
	WHERE state = 'active' AND entitlements IS NOT NULL;
