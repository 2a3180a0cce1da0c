package postgres_test

import (
	"testing"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/postgres"
)

func plain(sslmode string) string {
	return "postgres://tenure@db.example.com/postgres?sslmode=" + sslmode
}

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
		"no encryption":      {Change: connector.Settings{"url": plain("disable")}, Want: `"url" may send the password unencrypted`},
		"maybe encrypted":    {Change: connector.Settings{"url": plain("prefer")}, Want: `or set "plaintext: true"`},
		"plain by choice":    {Change: connector.Settings{"url": plain("allow")}, Want: `"url" may send the password unencrypted`},
		"another host":       {Change: connector.Settings{"url": "postgres://tenure@localhost/postgres?sslmode=disable&host=db.example.com"}, Want: `"url" may send the password unencrypted`},
		"one of two hosts":   {Change: connector.Settings{"url": "postgres://tenure@localhost,db.example.com/postgres?sslmode=disable"}, Want: `"url" may send the password unencrypted`},
		"allowed plain":      {Change: connector.Settings{"url": plain("disable"), "plaintext": true}},
		"plain, no password": {Change: connector.Settings{"url": plain("disable"), "password": nil}},
		"this machine":       {Change: connector.Settings{"url": "postgres://tenure@127.0.0.1/postgres?sslmode=disable"}},
		"a socket":           {Change: connector.Settings{"url": "postgres://tenure@localhost/postgres?sslmode=disable&host=/run/postgresql"}},
		"heir reserved":      {Change: connector.Settings{"heir": "pg_monitor"}, Want: `"heir" is a name that PostgreSQL reserves`},
		"grantable empty":    {Change: connector.Settings{"grantable": []any{""}}, Want: `"grantable" holds what is no role's name: one is empty`},
	})
}
