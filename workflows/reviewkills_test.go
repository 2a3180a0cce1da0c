package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

// A killer is the ledger of a worker that dies after it has written something about a review: what
// it has written is there, and nothing after it happens. Another worker does the activity anew.
type killer struct {
	ledger.Ledger
	writes int   // how often a review was written about
	at     []int // after which of these writes the worker dies
}

var errKilled = errors.New("the worker was killed")

func (k *killer) wrote(err error) error {
	if k.writes++; err == nil && slices.Contains(k.at, k.writes) {
		return errKilled
	}
	return err
}

func (k *killer) FreezeReview(ctx context.Context, p ledger.FrozenPage) (ledger.Review, error) {
	r, err := k.Ledger.FreezeReview(ctx, p)
	return r, k.wrote(err)
}

func (k *killer) OpenReview(ctx context.Context, o ledger.ReviewOpening) (ledger.Review, error) {
	r, err := k.Ledger.OpenReview(ctx, o)
	return r, k.wrote(err)
}

func (k *killer) ChangeReview(ctx context.Context, c ledger.ReviewChange) (ledger.Review, error) {
	r, err := k.Ledger.ChangeReview(ctx, c)
	if len(c.Facts) == 0 {
		return r, err
	}
	return r, k.wrote(err)
}

func (k *killer) DecideRest(ctx context.Context, rest ledger.RestDecision, limit int) (int, error) {
	n, err := k.Ledger.DecideRest(ctx, rest, limit)
	return n, k.wrote(err)
}

func (k *killer) AssignItems(ctx context.Context, id int64, moves []ledger.ItemMove) error {
	if len(moves) == 0 {
		return nil
	}
	return k.wrote(k.Ledger.AssignItems(ctx, id, moves))
}

func (k *killer) Revoke(ctx context.Context, r ledger.Revocation) error {
	return k.wrote(k.Ledger.Revoke(ctx, r))
}

func (k *killer) NoteRevoked(ctx context.Context, id int64, at time.Time, what []ledger.RevokedAccess) error {
	if len(what) == 0 {
		return nil
	}
	return k.wrote(k.Ledger.NoteRevoked(ctx, id, at, what))
}

// said lists what the record says of reviews and of what came of them, without the times, sorted.
func (c *campaign) said() []string {
	c.t.Helper()
	rows, err := c.ledger.Audit(context.Background(), "", 0, 10000)
	require.NoError(c.t, err)
	var all []string
	for _, r := range rows {
		delete(r.Detail, "from") // when it was done
		detail, err := json.Marshal(r.Detail)
		require.NoError(c.t, err)
		all = append(all, fmt.Sprint(r.Action, " ", r.PersonID, " ", r.App, " ", r.Actor, " ", r.Cause, " ", string(detail)))
	}
	slices.Sort(all)
	return all
}

// closes plays a review in which something of every kind is decided, and returns what became of it.
func closes(t *testing.T, at ...int) (said []string, has map[string][]string, summary review.Summary, writes int) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Undecided = review.SilenceRevokes })
	k := &killer{Ledger: c.acts.Ledger, at: at}
	c.acts.Ledger = k
	c.finds(map[string][]string{"a": nil})
	c.starts(time.Hour)
	c.decides(3*time.Hour, "10021", strayKey, ledger.VerdictRevoke)
	c.decides(4*time.Hour, "10021", "account:wiki:a", ledger.VerdictRevoke)
	c.during(2*day+30*time.Minute, func() { // the manager leaves, and somebody else is asked
		c.leaves("10000")
	})
	c.decides(5*day, "10020", "role:everyone", ledger.VerdictKeep)
	c.sweeps(90*time.Minute, 18*day, 12*time.Hour)
	c.holds(1, 40*day)
	require.True(t, c.done, "the run has ended")
	has = map[string][]string{}
	links, err := c.ledger.Links(t.Context(), ledger.LinkFilter{})
	require.NoError(t, err)
	for _, l := range links {
		has[l.PersonID+" "+l.App] = append([]string{string(l.State)}, l.Entitlements...)
	}
	return c.said(), has, c.theReview(1).Summary, k.writes
}

// Wherever the worker is killed, a review loses nothing and does nothing twice.
func TestAReviewThatIsKilledAnywhereGoesOn(t *testing.T) {
	said, has, summary, writes := closes(t)
	require.Greater(t, writes, 15)
	t.Log(writes, "writes")
	require.Equal(t, 2, summary.Silence, "the grant and a role")
	require.Equal(t, summary.Revoked, summary.Proven)
	for n := range writes {
		t.Run(fmt.Sprint("after write ", n+1), func(t *testing.T) {
			again, hasNow, summaryNow, more := closes(t, n+1)
			assert.Equal(t, said, again)
			assert.Equal(t, has, hasNow)
			assert.Equal(t, summary, summaryNow)
			assert.Greater(t, more, n)
		})
	}
	t.Run("after every second", func(t *testing.T) {
		var odd []int
		for n := 1; n < 4*writes; n += 2 {
			odd = append(odd, n)
		}
		again, hasNow, summaryNow, _ := closes(t, odd...)
		assert.Equal(t, said, again)
		assert.Equal(t, has, hasNow)
		assert.Equal(t, summary, summaryNow)
	})
}

// A review that takes more than the breaker admits takes nothing until an operator has released it.
func TestARevocationOfManyIsHeldReleasedAndProven(t *testing.T) {
	for _, undecided := range []review.Silence{review.SilenceKeeps, review.SilenceRevokes} {
		t.Run("undecided "+string(undecided), func(t *testing.T) {
			c := campaigning(t, func(_ *policy.Rules, terms *review.Terms) {
				terms.Days, terms.Undecided, terms.Settle = 3, undecided, 0
			})
			c.limit()
			c.engine = true
			people := []string{"20001", "20002", "20003", "20004", "20005"}
			for _, id := range people {
				c.employs(id, "10010")
				c.works(id)
			}
			engineers := func() (n int) {
				for _, id := range people {
					if slices.Contains(c.has(id, "wiki"), "engineers") && slices.Contains(c.has(id, "directory"), "engineers") {
						n++
					}
				}
				return n
			}
			require.Equal(t, len(people), engineers())
			c.starts(time.Hour)
			keys, ends := []string{"role:engineering"}, 3*day
			c.decides(2*time.Hour, "10020", "role:everyone", ledger.VerdictKeep)
			if undecided == review.SilenceKeeps { // it is not silence that revokes
				c.decides(2*time.Hour, "10020", "role:engineering", ledger.VerdictRevoke)
				ends = 2 * time.Hour
			}
			c.sweeps(90*time.Minute, 20*day, 5*time.Hour)
			c.during(ends+2*day, func() {
				assert.Equal(t, len(people), engineers(), "nobody has lost anything")
				cohorts, err := c.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
				require.NoError(t, err)
				require.Len(t, cohorts, 1)
				assert.Equal(t, ledger.Losses, cohorts[0].Kind)
				for _, key := range keys {
					assert.False(t, c.item(key).EffectAt.IsZero())
					assert.True(t, c.item(key).ProvenAt.IsZero(), "decided is not done")
				}
				awaited, err := c.ledger.ReviewAccesses(context.Background(), ledger.AccessFilter{Review: 1, Awaited: true}, ledger.AccessPlace{}, 100)
				require.NoError(t, err)
				assert.Len(t, awaited, 2*len(people), "in the wiki and in the directory")
				for _, a := range awaited {
					assert.Equal(t, "the breaker holds it: c-1", a.Needs, a.PersonID)
				}
				held, err := c.o.Held(context.Background(), cohorts[0])
				require.NoError(t, err)
				assert.Equal(t, people, held)
				_, err = c.o.DecideCohort(context.Background(), operator.Release, olga, cohorts[0], held, nil, nil)
				require.NoError(t, err)
			})
			c.holds(1, 40*day)
			require.True(t, c.done, "the run has ended")
			assert.Zero(t, engineers())
			for _, key := range keys {
				assert.WithinRange(t, c.item(key).ProvenAt, at(ends+2*day), at(ends+4*day))
			}
			summary := c.theReview(1).Summary
			assert.Equal(t, []int{1, 1, 1}, []int{summary.Revoked, summary.Effective, summary.Proven})
		})
	}
}
