package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func TestWhatTheServerMakesOfAttributes(t *testing.T) {
	account := connector.Account{Username: "zoe", Attributes: map[string]any{
		"validUntil": "2026-11-30T16:00:00Z", "connectionLimit": int64(5), "set.TimeZone": "UTC", "set.search_path": `"$user", public, "a, b"`,
		"set.jit": "true", "comment": "of Zoe",
	}}
	for name, test := range map[string]struct {
		name string
		set  any
		kept bool
	}{
		"a time elsewhere":        {"validUntil", "2026-11-30T17:00:00.5+01:00", true},
		"another time":            {"validUntil", "2026-11-30", false},
		"a time to be cleared":    {"validUntil", "", false},
		"a number":                {"connectionLimit", int64(5), true},
		"a parameter":             {"set.timezone", "UTC", true},
		"a list":                  {"set.search_path", []string{"$user", "public", "a, b"}, true},
		"a list in another order": {"set.search_path", []string{"public", "$user", "a, b"}, false},
		"a truth value":           {"set.jit", true, true},
		"a missing one":           {"set.role", "staff", false},
		"nothing":                 {"set.role", "", true},
		"a comment":               {"comment", "of Zoe", true},
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := (&client{}).Keeps(t.Context(), account, test.name, test.set)
			require.NoError(t, err)
			assert.Equal(t, test.kept, kept)
		})
	}
}
