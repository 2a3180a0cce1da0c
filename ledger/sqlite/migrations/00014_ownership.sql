-- +goose Up

-- A call that was to make the account and of which it is not known what came: when the
-- first was sent, with which username, and what the app has said to it.
ALTER TABLE links ADD COLUMN creating_at INTEGER;
ALTER TABLE links ADD COLUMN creating_username TEXT    NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN creating TEXT    NOT NULL DEFAULT '' CHECK (creating IN ('', 'sent', 'acknowledged', 'taken'));

-- Whether other people's links name the same account. New links cannot: this marks
-- those that were there before there was an index.
ALTER TABLE links ADD COLUMN contested INTEGER NOT NULL DEFAULT 0;

-- Creations that versions before this began, and of which they did not know the end.
UPDATE links SET creating = 'sent', creating_username = username, creating_at = (
		SELECT min(coalesce(s.trying_since, s.last_attempt_at, s.planned_at)) FROM steps s
		WHERE s.person_id = links.person_id AND s.app = links.app AND s.kind = 'Provision' AND s.attempts > 0
			AND s.code IN ('', 'unavailable', 'exists', 'conflict', 'ledger'))
	WHERE state = 'planned' AND account_id = '' AND EXISTS (
		SELECT 1 FROM steps s
		WHERE s.person_id = links.person_id AND s.app = links.app AND s.kind = 'Provision' AND s.attempts > 0
			AND s.code IN ('', 'unavailable', 'exists', 'conflict', 'ledger'));

-- Accounts that are linked to several people stay so, and are reported: on the record,
-- and to a human, since whoever has one is due.
UPDATE links SET contested = 1 WHERE account_id <> '' AND state <> 'deleted' AND EXISTS (
	SELECT 1 FROM links other WHERE other.app = links.app AND other.account_id = links.account_id
		AND other.state <> 'deleted' AND other.person_id <> links.person_id);

INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt)
	SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER), person_id, app, 'contested', 'tenure', 'the account is linked to several people', 'contested/' || app, 0
	FROM links WHERE contested = 1 ORDER BY person_id, app;

UPDATE people SET due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER), due_what = 'event'
	WHERE id IN (SELECT person_id FROM links WHERE contested = 1)
		AND (due_at IS NULL OR due_at > CAST(unixepoch('subsec') * 1000000 AS INTEGER));

-- One account is one person's.
CREATE UNIQUE INDEX links_account ON links (app, account_id)
	WHERE account_id <> '' AND state <> 'deleted' AND contested = 0;

-- Whose an account is, contested or not.
CREATE INDEX links_account_any ON links (app, account_id) WHERE account_id <> '';
