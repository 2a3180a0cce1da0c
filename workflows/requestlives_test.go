package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

// requester is a biography in which people ask for access, and others decide. 10000 is the
// manager, 10020 owns all roles, 10021 the rule, and 10030 and 10031 are the fallback.
type requester struct {
	*biography
	o     *operator.Operator
	r     *rand.Rand
	did   map[string]int // how often something was done
	rules policy.Rules
}

// silent tells no run: the biography does.
type silent struct{ signals }

func (silent) Resume(context.Context, string, string) error       { return nil }
func (silent) ResumeRequest(context.Context, int64, string) error { return nil }

func (silent) ResumeReview(context.Context, int64, string) error { return nil }

func newRequester(t *testing.T, r *rand.Rand, did map[string]int) *requester {
	t.Helper()
	rules := requestRules()
	rules.Leaver.Retain = 20 * day
	rules.Fallback = []string{"10030", "10031"}
	for i := range rules.Roles {
		if role := &rules.Roles[i]; role.Request != nil {
			role.About.Owner = []string{"10020"}
			role.Request = &policy.RequestRules{
				Most: 30 * day, Ahead: 14 * day, Approve: [][]string{{"manager"}, {"owner"}}, Needed: 1, Answer: 4 * day, Escalate: day,
				Emergency: &policy.EmergencyRules{Most: 4 * day, Confirm: 2 * day}, Extend: policy.ExtendAgain,
			}
		}
	}
	if r.IntN(2) == 0 {
		apart := buildAndSell()
		apart.Owner = []string{"10021"}
		rules.Duties = []policy.Duty{apart}
	}
	q := &requester{biography: newBiography(t, rules), r: r, did: did, rules: rules}
	for _, id := range []string{manager, "10020", "10021", "10030", "10031"} {
		who := profile("Legal")
		who.ManagerID, who.StartDate = "", hr.DateOf(epoch.Add(-30*day))
		_, err := q.ledger.Record(context.Background(), []ledger.Received{{At: epoch, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr/test", ID: "of " + id}, Type: hr.EventHired, PersonID: id, Recorded: epoch, Effective: who.StartDate, Profile: who,
		}}})
		require.NoError(t, err)
	}
	traits := map[string]plan.App{}
	for name, app := range q.acts.Apps {
		resolved, _ := q.acts.Policy.App(name)
		traits[name] = assess.Traits(resolved, app.Connector)
	}
	q.o = operator.New(q.ledger, silent{signals{q.biography}}, operator.Viewer{
		Policy: q.acts.Policy, Clock: clock.Func(q.now), Apps: configured{rules: assess.Rules{Policy: q.acts.Policy, Apps: traits}},
	})
	return q
}

// does notes that something was done, unless it was refused, as it may be.
func (q *requester) does(what string, err error) {
	q.t.Helper()
	var refused *operator.RefusedError
	if errors.As(err, &refused) {
		q.did["refused"]++
		return
	}
	require.NoError(q.t, err, what)
	q.did[what]++
}

// one does one of the things that people do about access, at random.
func (q *requester) one() {
	ctx, role := context.Background(), []string{"admin", "crm-user"}[q.r.IntN(2)]
	want := operator.RoleRequest{PersonID: q.person, Role: role, For: time.Duration(1+q.r.IntN(30)) * day}
	switch q.r.IntN(12) {
	case 0, 1:
		if q.r.IntN(3) == 0 {
			want.From = q.now().Add(time.Duration(q.r.IntN(14)) * day)
		}
		if q.r.IntN(3) == 0 {
			want.AskedBy = manager
		}
		_, err := q.o.AskRole(ctx, olga, want, true)
		q.does("asked", err)
	case 2:
		want.Emergency, want.For = true, time.Duration(1+q.r.IntN(4))*day
		_, err := q.o.AskRole(ctx, olga, want, true)
		q.does("emergency", err)
	case 3:
		for _, x := range person(q.biography).Exceptions {
			if x.Kind == "grant" && x.EndsAt.After(q.now()) {
				want.Role, want.Extends = x.Role, x.Name()
				_, err := q.o.AskRole(ctx, olga, want, true)
				q.does("prolonged", err)
				return
			}
		}
	case 4:
		if q.acts.Policy.KeepsApart() {
			_, err := q.o.AskWaiver(ctx, olga, operator.WaiverRequest{
				PersonID: q.person, Duty: "build-and-sell", For: time.Duration(1+q.r.IntN(30)) * day, Control: "the auditors look",
			}, true)
			q.does("waiver", err)
		}
	case 5:
		_, err := q.o.Withhold(ctx, olga, operator.Withholding{
			PersonID: q.person, App: "wiki", Entitlement: []string{"", "engineers", "admins"}[q.r.IntN(3)], Until: q.now().Add(time.Duration(1+q.r.IntN(20)) * day),
		}, true)
		q.does("withheld", err)
	case 6:
		if all := person(q.biography).Exceptions; len(all) > 0 {
			_, err := q.o.EndException(ctx, olga, all[q.r.IntN(len(all))].Name(), true)
			q.does("ended", err)
		}
	default:
		q.decides(ctx)
	}
}

// decides has somebody who may decide about a request do so, or somebody who may not try.
func (q *requester) decides(ctx context.Context) {
	open, err := q.ledger.Requests(ctx, ledger.RequestFilter{PersonID: q.person, States: []ledger.RequestState{ledger.RequestAsked, ledger.RequestConfirming}}, 0, 100)
	require.NoError(q.t, err)
	if len(open) == 0 {
		return
	}
	one := open[q.r.IntN(len(open))]
	shown, err := q.o.ShowRequest(ctx, one.Name())
	require.NoError(q.t, err)
	d := operator.RequestDecision{Request: one.Name(), As: q.person, Vote: ledger.VoteApprove}
	if len(shown.Deciders) > 0 && q.r.IntN(8) > 0 {
		d.As = shown.Deciders[q.r.IntN(len(shown.Deciders))].PersonID
	}
	if q.r.IntN(5) == 0 {
		d.Vote = ledger.VoteDeny
	}
	changed, err := q.o.DecideRequest(ctx, olga, d, true)
	q.does("decided", err)
	if err == nil {
		q.did[string(changed.Request.State)]++
	}
}

// changesPolicy puts another policy into force: more people may have a role, one is gone, or a rule
// keeps apart what it did not before.
func (q *requester) changesPolicy() {
	switch q.r.IntN(3) {
	case 0:
		q.adminForAll = true
		q.rules.Roles[len(q.rules.Roles)-2].When = "true"
	case 1:
		q.noCRM = true
		q.rules.Roles = q.rules.Roles[:len(q.rules.Roles)-1]
	case 2:
		apart := buildAndSell()
		apart.Since = q.now()
		q.rules.Duties = []policy.Duty{apart}
	}
	changed, err := policy.Compile(q.rules)
	require.NoError(q.t, err)
	q.acts.Policy, q.o.Policy = changed, changed
	rules, _ := q.o.Apps.Rules(context.Background())
	rules.Policy = changed
	q.o.Apps = configured{rules: rules}
}

// looks lets requests go on, as their workflows do.
func (q *requester) looks() {
	desk := request.Desk{Registry: q.ledger, Policy: q.acts.Policy, Clock: clock.Func(q.now)}
	due, err := q.ledger.Requests(context.Background(), ledger.RequestFilter{DueBy: q.now()}, 0, 100)
	require.NoError(q.t, err)
	for _, r := range due {
		_, err := desk.Look(context.Background(), q.ledger, r.ID)
		require.NoError(q.t, err)
	}
}

// agreed requires that each exception of a request was agreed to by those who had to, and none was
// made of a request that was not.
func (q *requester) agreed() {
	ctx := context.Background()
	all, err := q.ledger.Requests(ctx, ledger.RequestFilter{PersonID: q.person}, 0, 1000)
	require.NoError(q.t, err)
	for _, r := range all {
		q.did[string(r.State)+" at last"]++
		votes, err := q.ledger.Votes(ctx, r.ID)
		require.NoError(q.t, err)
		stages := map[int]bool{}
		for _, v := range votes {
			if v.Vote == ledger.VoteApprove {
				stages[v.Stage] = true
				assert.NotContains(q.t, []string{q.person, r.AskedBy}, v.Voter, "%s: nobody decides for themself", r.Name())
			}
			if v.Vote == ledger.VoteDeny {
				assert.Contains(q.t, []ledger.RequestState{ledger.RequestDenied, ledger.RequestDisputed}, r.State, r.Name())
			}
		}
		granted := r.State == ledger.RequestApproved || r.Emergency
		if assert.Equal(q.t, granted, r.Exception != 0, "%s is %s", r.Name(), r.State); !granted {
			continue
		}
		x, err := q.o.Exception(ctx, ledger.ExceptionName(r.Exception))
		require.NoError(q.t, err)
		assert.Equal(q.t, r.For, x.EndsAt.Sub(x.StartsAt), "%s lasts as long as was asked for", r.Name())
		if r.Emergency {
			assert.LessOrEqual(q.t, r.For, 4*day)
			if r.State == ledger.RequestDisputed && x.EndsAt.After(r.DecidedAt) {
				assert.False(q.t, x.EndedAt.IsZero() || x.EndedAt.After(r.DecidedAt), "%s: a dispute ends it", r.Name())
			}
			continue
		}
		needed := 2
		if r.Duty != "" {
			needed = 1
		}
		assert.Len(q.t, stages, needed, "%s has passed all stages", r.Name())
		assert.False(q.t, x.StartsAt.Before(r.DecidedAt), "%s: its time runs from the approval", r.Name())
	}
}

// Whatever is asked for, approved, denied, prolonged, taken in an emergency or left to expire,
// whatever HR says, and whatever policy is in force by then: nobody has what no reason gives at that
// instant, whoever is at work has all that a reason gives, no reason is there that nobody agreed to,
// and what is rehearsed is what is done.
func TestNobodyHasWhatNobodyAgreedTo(t *testing.T) {
	did, had := map[string]int{}, 0
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 11))
			q := newRequester(t, r, did)
			first, second := randomLife(r, q.person)
			q.says(0, first)
			q.says(time.Duration(5+r.IntN(40))*day+time.Hour, second)
			for at := day; at < 60*day; at += time.Duration(4+r.IntN(40)) * time.Hour {
				q.nudged(at, q.one)
			}
			if r.IntN(2) == 0 {
				q.nudged(time.Duration(10+r.IntN(40))*day+time.Minute, q.changesPolicy)
			}
			for at := 3 * time.Hour; at < 62*day; at += 12 * time.Hour {
				q.on(at, q.looks)
			}
			for at := day; at < 90*day; at += 19 * time.Hour {
				q.on(at+7*time.Minute, func() { had += q.has(at) })
			}
			var foreseen []string
			const then = 62 * day
			q.on(then, func() {
				for _, c := range q.rehearse().Changes {
					require.Empty(t, c.Problem)
					foreseen = append(foreseen, deed(c.At, c.App, c.Do))
				}
				slices.Sort(foreseen)
			})
			q.live(150 * day)
			assert.Equal(t, foreseen, q.changed(epoch.Add(then)), "what is rehearsed is done")
			q.agreed()
		})
	}
	t.Log(had, did)
	assert.Greater(t, had, 150, "these lives are not worth living")
	for _, what := range []string{
		"emergency", "prolonged", "waiver", "withheld", "ended", "approved at last", "denied at last", "expired at last", "confirmed at last", "disputed at last", "refused",
	} {
		assert.Positive(t, did[what], what)
	}
}

// has compares what the person has with what reasons give, and returns how much that is.
func (q *requester) has(after time.Duration) (n int) {
	may := q.oracle(q.now())
	active := assess.TimelineOf(person(q.biography)).At(q.now()).Status == hr.StatusActive
	for _, app := range []string{"wiki", "crm"} {
		account, ok := q.account(app)
		if !ok || !account.Active {
			if active {
				assert.Empty(q.t, may[app], "%s after %s: a reason gives it, and it is not there", app, after)
			}
			continue
		}
		assert.True(q.t, active, "%s is on after %s", app, after)
		assert.ElementsMatch(q.t, slices.Compact(slices.Sorted(slices.Values(may[app]))), account.Entitlements, "%s after %s", app, after)
		n += len(account.Entitlements)
	}
	return n
}

// changed returns what was done to accounts from an instant on, in the form of a rehearsal.
func (q *requester) changed(from time.Time) []string {
	rows, err := ledger.Collect(ledger.AllAudit(context.Background(), q.ledger, q.person, 0))
	require.NoError(q.t, err)
	var out []string
	for _, r := range rows {
		if do, ok := actions[r.Action]; ok && !r.At.Before(from) {
			out = append(out, deed(r.At, r.App, do))
		}
	}
	slices.Sort(out)
	return out
}
