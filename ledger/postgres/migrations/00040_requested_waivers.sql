-- +goose Up

-- That a rule of separation of duties is waived can be requested like a role.
ALTER TABLE requests ADD COLUMN duty TEXT COLLATE "C" NOT NULL DEFAULT ''; -- the rule
ALTER TABLE requests ADD COLUMN control TEXT COLLATE "C" NOT NULL DEFAULT ''; -- what compensates for it
ALTER TABLE requests DROP CONSTRAINT requests_role_check;
ALTER TABLE requests ADD CONSTRAINT requests_one_thing CHECK ((role <> '') <> (duty <> ''));
