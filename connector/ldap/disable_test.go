package ldap_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/ldap"
)

// Where leavers are moved, every error of Disable is unfinished, also one before the first
// change: an earlier call may have left a move, or its memberships, undone.
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
