package postgres_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/postgres"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "postgres://tenure@db.example.com/postgres", "password": "abc"}
	for name, test := range map[string]struct {
		change connector.Settings
		want   string // part of the error; empty for none
	}{
		"least":              {nil, ""},
		"all":                {connector.Settings{"timeout": "5s", "grantable": []any{"app_*", "*", "pg_monitor"}, "heir": "archive"}, ""},
		"certificate":        {connector.Settings{"password": nil}, ""},
		"several hosts":      {connector.Settings{"url": "postgresql://tenure@a:5432,b:5432/postgres?sslmode=require&target_session_attrs=read-write"}, ""},
		"no url":             {connector.Settings{"url": ""}, `"url" is missing`},
		"no role":            {connector.Settings{"url": "postgres://db.example.com/postgres"}, `"url" must have the form`},
		"no database":        {connector.Settings{"url": "postgres://tenure@db.example.com"}, `"url" must have the form`},
		"other scheme":       {connector.Settings{"url": "mysql://tenure@db.example.com/postgres"}, `"url" must have the form`},
		"password in url":    {connector.Settings{"url": "postgres://tenure:s3cret@db.example.com/postgres"}, `"url" must hold no password`},
		"password parameter": {connector.Settings{"url": "postgres://tenure@db.example.com/postgres?password=s3cret"}, `"url" must hold no password`},
		"no such sslmode":    {connector.Settings{"url": "postgres://tenure@db.example.com/postgres?sslmode=s3cret"}, "check sslmode"},
		"no such file":       {connector.Settings{"url": "postgres://tenure@db.example.com/postgres?sslrootcert=/s3cret"}, "sslrootcert"},
		"heir reserved":      {connector.Settings{"heir": "pg_monitor"}, `"heir" is a name that PostgreSQL reserves`},
		"grantable empty":    {connector.Settings{"grantable": []any{""}}, `"grantable" holds what is no role's name: one is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := maps.Clone(good)
			maps.Copy(settings, test.change)
			c, err := postgres.Kind.Open(t.Context(), connector.Env{App: "warehouse"}, settings)
			if test.want == "" {
				require.NoError(t, err)
				assert.NoError(t, c.Close())
				return
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}
