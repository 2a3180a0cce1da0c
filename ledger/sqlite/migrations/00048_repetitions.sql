-- +goose Up

-- Records of Kafka that said again what another record had said: with them, every record is
-- accounted for.
CREATE TABLE repetitions (
	id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	topic     TEXT    NOT NULL,
	partition INTEGER NOT NULL,
	"offset"  INTEGER NOT NULL,
	event     INTEGER NOT NULL, -- seq of the event
	at        INTEGER NOT NULL,
	UNIQUE (topic, partition, "offset", event)
) STRICT;

-- In how many pages a scan was listed.
ALTER TABLE scans ADD COLUMN pages INTEGER NOT NULL DEFAULT 0;
