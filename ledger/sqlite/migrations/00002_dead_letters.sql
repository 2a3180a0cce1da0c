-- +goose Up

-- What is known of records that could not be read. The records are in Kafka.
CREATE TABLE dead_letters (
	id               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	topic            TEXT    NOT NULL,
	partition        INTEGER NOT NULL,
	"offset"         INTEGER NOT NULL,
	origin_topic     TEXT    NOT NULL,
	origin_partition INTEGER NOT NULL,
	origin_offset    INTEGER NOT NULL,
	digest           TEXT    NOT NULL, -- of the value
	format           TEXT    NOT NULL,
	at               INTEGER NOT NULL,
	reason           TEXT    NOT NULL,
	field            TEXT    NOT NULL,
	text             TEXT    NOT NULL,
	person_id        TEXT    NOT NULL, -- may be nobody whom people knows
	event_type       TEXT    NOT NULL,
	event_source     TEXT    NOT NULL,
	event_id         TEXT    NOT NULL,
	urgent           INTEGER NOT NULL,
	-- the dead letter that it was sent again from; an empty topic is none
	parent_topic     TEXT    NOT NULL,
	parent_partition INTEGER NOT NULL,
	parent_offset    INTEGER NOT NULL,
	state            TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'redriven', 'applied', 'failed', 'discarded')),
	acted_at         INTEGER,
	operator         TEXT    NOT NULL DEFAULT '',
	why              TEXT    NOT NULL DEFAULT '',
	ended_at         INTEGER,
	UNIQUE (origin_topic, origin_partition, origin_offset, digest)
) STRICT;

-- Not unique: a topic that is made anew counts from zero again.
CREATE INDEX dead_letters_place ON dead_letters (topic, partition, "offset");
CREATE INDEX dead_letters_person ON dead_letters (person_id, id) WHERE person_id <> '';

-- What nudged_at is about, as due_what has it.
ALTER TABLE people ADD COLUMN nudged_what TEXT NOT NULL DEFAULT 'manager';
