package postgres_test

import (
	"testing"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/postgres"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "postgres://tenure@db.example.com/postgres", "password": "abc"}
	connectortest.Settings(t, postgres.Kind, good, map[string]connectortest.Setting{
		"least":              {},
		"all":                {Change: connector.Settings{"timeout": "5s", "grantable": []any{"app_*", "*", "pg_monitor"}, "heir": "archive"}},
		"certificate":        {Change: connector.Settings{"password": nil}},
		"several hosts":      {Change: connector.Settings{"url": "postgresql://tenure@a:5432,b:5432/postgres?sslmode=require&target_session_attrs=read-write"}},
		"no url":             {Change: connector.Settings{"url": ""}, Want: `"url" is missing`},
		"no role":            {Change: connector.Settings{"url": "postgres://db.example.com/postgres"}, Want: `"url" must have the form`},
		"no database":        {Change: connector.Settings{"url": "postgres://tenure@db.example.com"}, Want: `"url" must have the form`},
		"other scheme":       {Change: connector.Settings{"url": "mysql://tenure@db.example.com/postgres"}, Want: `"url" must have the form`},
		"password in url":    {Change: connector.Settings{"url": "postgres://tenure:s3cret@db.example.com/postgres"}, Want: `"url" must hold no password`},
		"password parameter": {Change: connector.Settings{"url": "postgres://tenure@db.example.com/postgres?password=s3cret"}, Want: `"url" must hold no password`},
		"no such sslmode":    {Change: connector.Settings{"url": "postgres://tenure@db.example.com/postgres?sslmode=s3cret"}, Want: "check sslmode"},
		"no such file":       {Change: connector.Settings{"url": "postgres://tenure@db.example.com/postgres?sslrootcert=/s3cret"}, Want: "sslrootcert"},
		"heir reserved":      {Change: connector.Settings{"heir": "pg_monitor"}, Want: `"heir" is a name that PostgreSQL reserves`},
		"grantable empty":    {Change: connector.Settings{"grantable": []any{""}}, Want: `"grantable" holds what is no role's name: one is empty`},
	})
}
