package activities_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// throttled puts a service behind a quota of changes. Over the quota it answers with 403
// and headers, as GitHub does. left is the number of changes that it takes until the test
// renews the quota.
func throttled(t *testing.T, app http.Handler, left *atomic.Int64) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || left.Add(-1) >= 0 {
			app.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(3*time.Second).Unix(), 10))
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	return server.URL + scimtest.BasePath
}

// With a quota of one change, a step takes as many attempts as it has changes: no attempt
// spends the quota on what an earlier one has done.
func TestEveryAttemptUnderAQuotaGetsFurther(t *testing.T) {
	for name, shy := range map[string]bool{"shows the groups of users": false, "shows the members of groups only": true} {
		t.Run(name, func(t *testing.T) {
			c := newCRM(t, shy)
			var handler http.Handler = c.app
			if shy {
				handler = withoutGroups(c.app)
			}
			var left atomic.Int64
			left.Store(1000)
			c.Apps["crm"].Connector = opened(t, throttled(t, handler, &left))
			c.hire(t, "2")
			c.requests(t, "2") // this person stays

			// attempts makes attempts until nothing is left to do, each with a new quota.
			// It returns how many it made.
			attempts := func() (n int) {
				for ; n < 100; n++ {
					assessment, err := c.Assess(t.Context(), "1")
					require.NoError(t, err)
					if len(assessment.Todo) == 0 {
						return n
					}
					left.Store(1)
					_, err = c.applyFor("1", assessment.Todo[0])
					var failure *temporal.ApplicationError
					if errors.As(err, &failure) {
						require.Equal(t, string(connector.KindRateLimited), failure.Type(), strings.TrimSpace(failure.Error()))
						require.Positive(t, failure.NextRetryDelay())
					}
				}
				return n
			}
			c.hire(t, "1")
			assert.LessOrEqual(t, attempts(), 6, "hired: it is made, its attributes are set, it joins three groups; and the proof")
			c.promote(t, "1", "Lead")
			assert.LessOrEqual(t, attempts(), 3, "it joins a group, and gets a title")
			c.end(t, "1")
			assert.LessOrEqual(t, attempts(), 6, "leaves: it is disabled, and leaves four groups")
			for _, user := range c.app.Users() {
				if !user.Active {
					assert.Empty(t, user.Groups)
					return
				}
			}
			t.Fatal("nobody is disabled")
		})
	}
}
