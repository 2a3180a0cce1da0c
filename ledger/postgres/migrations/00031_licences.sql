-- +goose Up

-- How many seats each licence had when its app was last asked. The rows of an app are
-- replaced each time: they are what the app says, and no record of what was done.
CREATE TABLE licences (
	app        TEXT COLLATE "C" NOT NULL,
	name       TEXT COLLATE "C" NOT NULL,
	seats      BIGINT           NOT NULL, -- 0 if the app does not say
	used       BIGINT           NOT NULL,
	awaited    BIGINT           NOT NULL,
	counted_at BIGINT           NOT NULL,
	PRIMARY KEY (app, name)
);
