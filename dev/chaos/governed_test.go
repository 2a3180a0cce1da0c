package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

// TestTheJudgeSeesWhatIsLeftUndone gives the judge a ledger in which nothing was asked for, and
// then one thing at a time that has not come to its end.
func TestTheJudgeSeesWhatIsLeftUndone(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		leave       func(t *testing.T, store ledger.Ledger)
		wrong, lost int
	}{
		"nothing": {func(*testing.T, ledger.Ledger) {}, 0, 0},
		"a request that nobody has decided": {func(t *testing.T, store ledger.Ledger) {
			_, err := store.AskFor(t.Context(), ledger.Asking{Request: ledger.Request{
				PersonID: "1", Role: topology.RoleOnCall, AskedBy: "1", Operator: "olga", State: ledger.RequestAsked, Reason: drill,
				AskedAt: now, StageAt: now, For: time.Hour, ExpiresAt: now.Add(time.Hour), LookAt: now, Terms: "{}",
			}})
			require.NoError(t, err)
		}, 0, 1},
		"a grant that nobody has asked for, and that has not ended": {func(t *testing.T, store ledger.Ledger) {
			_, err := store.PlaceException(t.Context(), ledger.Exception{
				PersonID: "1", Kind: "grant", Role: topology.RoleOnCall, Origin: "r-7", Reason: drill, DecidedBy: "olga", DecidedAt: now, StartsAt: now,
				EndsAt: now.Add(time.Hour),
			})
			require.NoError(t, err)
		}, 2, 0},
		"scans that have not ended": {func(t *testing.T, store ledger.Ledger) {
			for _, key := range []string{"a", "b"} {
				_, err := store.BeginScan(t.Context(), topology.AppWiki, key, now)
				require.NoError(t, err)
				now = now.Add(time.Minute)
			}
		}, 0, 0}, // the second gives the first up, and is under way
		"a review that is not done": {func(t *testing.T, store ledger.Ledger) {
			_, err := store.BeginReview(t.Context(), ledger.Review{
				Name: topology.ReviewDrill, Key: "k", StartedBy: "olga", Reason: drill, StartedAt: now, Terms: "{}", EndsAt: now.Add(time.Hour), LookAt: now,
			})
			require.NoError(t, err)
		}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
			require.NoError(t, err)
			defer func() { assert.NoError(t, store.Close()) }()
			_, err = store.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
				EventKey: hr.EventKey{Source: "/test", ID: "1"}, Type: hr.EventHired, PersonID: "1", Recorded: now, Effective: hr.DateOf(now),
				Profile: &hr.Profile{Type: hr.TypeEmployee, StartDate: hr.DateOf(now)},
			}}})
			require.NoError(t, err)
			c.leave(t, store)
			v := &verdict{}
			require.NoError(t, v.judgeGovernance(t.Context(), store))
			assert.Len(t, v.wrong, c.wrong)
			assert.Len(t, v.lost, c.lost)
			assert.Empty(t, v.duplicates)
		})
	}
}
