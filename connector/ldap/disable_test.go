package ldap_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/ldap"
)

// TestALockIsNotAllWhereLeaversAreMoved: whatever broke off, also the look before the
// first change, may have left the move, or the memberships of another call's move.
func TestALockIsNotAllWhereLeaversAreMoved(t *testing.T) {
	for leavers, want := range map[string]bool{"": false, "ou=leavers,dc=x": true} {
		settings := connector.Settings{"url": "ldap://127.0.0.1:1", "bindDN": "cn=tenure", "password": "s3cret", "people": "ou=people,dc=x"}
		if leavers != "" {
			settings["leavers"] = leavers
		}
		c, err := ldap.Kind.Open(t.Context(), connector.Env{App: "directory"}, settings)
		require.NoError(t, err)
		defer c.Close()
		var failed *connector.Error
		require.ErrorAs(t, c.Disable(t.Context(), "1"), &failed)
		assert.Equal(t, connector.KindUnavailable, failed.Kind)
		assert.Equal(t, want, failed.Unfinished, "leavers %q", leavers)
	}
}
