package okta_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
	"github.com/tenurehq/tenure/connector/trial"
)

// TestTrial does what `tenure app test NAME --write` does.
func TestTrial(t *testing.T) {
	for name, switches := range map[string]oktatest.Switches{
		"as documented": {}, "lagging and slow": {SearchLag: time.Minute, Slow: 2, EmptyDeactivate: true},
	} {
		t.Run(name, func(t *testing.T) {
			org, url := serve(t, switches, "staff")
			c := open(t, connector.Settings{"url": url, "token": token, "usernameSuffix": "@example.com", "adminRoles": true})
			try := &trial.Trial{Connector: c, Say: func(s trial.Step) { assert.NoError(t, s.Err, s.What) }}
			require.NoError(t, try.Look(t.Context()))
			attributes := map[string]any{"firstName": "Test", "lastName": "Account", "title": "Tester"}
			require.NoError(t, try.Live(t.Context(), trial.Life{
				Account:      connector.Spec{PersonID: "test-1a2b", Username: "tenure-test-1a2b", Active: true, Attributes: attributes},
				Email:        "tenure-test-1a2b@example.com",
				Changed:      map[string]any{"firstName": "Other", "lastName": "Name", "title": "Other"},
				Cleared:      map[string]any{"title": ""},
				Entitlements: []string{"staff", "role:HELP_DESK_ADMIN"},
			}))
			_, there := org.User("tenure-test-1a2b@example.com")
			assert.False(t, there, "nothing is left")
			for _, request := range org.Requests() {
				assert.False(t, strings.HasPrefix(request, "PUT /users"), "PUT would clear what is not sent")
			}
		})
	}
}
