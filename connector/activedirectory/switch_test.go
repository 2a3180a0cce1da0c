package activedirectory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
)

// Where leavers are moved, every error of Disable is unfinished, also one before the first
// change: an earlier call may have left the move undone.
func TestADisabledAccountIsNotAllWhereLeaversAreMoved(t *testing.T) {
	const people = "OU=People,DC=corp,DC=example,DC=com"
	for leavers, want := range map[string]bool{"": false, "OU=Leavers," + people: true} {
		settings := connector.Settings{"url": "ldaps://127.0.0.1:1", "bindDN": "tenure@corp.example.com", "password": "s3cret", "people": people}
		if leavers != "" {
			settings["leavers"] = leavers
		}
		c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad"}, settings)
		require.NoError(t, err)
		defer c.Close()
		var failed *connector.Error
		require.ErrorAs(t, c.Disable(t.Context(), "12345678-9abc-def0-0123-456789abcdef"), &failed)
		assert.Equal(t, connector.KindUnavailable, failed.Kind)
		assert.Equal(t, want, failed.Unfinished, "leavers %q", leavers)
	}
}
