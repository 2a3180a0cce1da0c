-- +goose Up

-- From when on the next call of an app may be made that nobody has taken yet.
CREATE TABLE app_pace (
	app     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	next_at BIGINT           NOT NULL -- nanoseconds since 1970, unlike elsewhere: calls may be close together
);
