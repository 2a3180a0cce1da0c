package workflows_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/review"
)

// errDead is what the caller of an attempt sees whose worker has died: it gets no answer, and the
// attempt is made again.
var errDead = errors.New("the worker has died")

// A reaper kills a worker right after one of the things that it does to the ledger, to an app or to
// Temporal: the thing is done, and nobody hears of it. Whatever the same attempt would do after that
// is not done. Another worker makes the next attempt.
//
// What a worker does between two such things nobody can see, so that these are all the points at
// which it may die.
type reaper struct {
	mu     sync.Mutex
	armed  bool
	passed int    // points so far, while armed
	dies   int    // at which it dies; 0: never
	died   string // the point at which it died
	now    *life
}

// life is what a worker does until it dies.
type life struct{ over bool }

type lifeKey struct{}

// attempt has do done by a worker that may die meanwhile.
func (r *reaper) attempt(ctx context.Context, do func(context.Context) error) error {
	r.mu.Lock()
	mine := r.now
	r.mu.Unlock()
	err := do(context.WithValue(ctx, lifeKey{}, mine))
	if r.over(mine) {
		return errDead // also if what it did went well: nobody hears of that
	}
	return err
}

func (r *reaper) over(l *life) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l != nil && l.over
}

// living returns an error if the worker whose context it is has died.
func (r *reaper) living(ctx context.Context) error {
	if mine, _ := ctx.Value(lifeKey{}).(*life); r.over(mine) {
		return errDead
	}
	return nil
}

// pass is called when something is done.
func (r *reaper) pass(ctx context.Context, point string) error {
	mine, _ := ctx.Value(lifeKey{}).(*life)
	r.mu.Lock()
	defer r.mu.Unlock()
	if mine == nil || !r.armed {
		return nil
	}
	if r.passed++; r.passed != r.dies {
		return nil
	}
	r.died, mine.over, r.now = point, true, &life{}
	return errDead
}

// effect does something, and passes a point.
func effect[T any](ctx context.Context, r *reaper, point string, do func() (T, error)) (T, error) {
	var none T
	if err := r.living(ctx); err != nil {
		return none, err
	}
	out, err := do()
	if err != nil {
		return out, err
	}
	if err := r.pass(ctx, point); err != nil {
		return none, err
	}
	return out, nil
}

func (r *reaper) change(ctx context.Context, point string, do func() error) error {
	_, err := effect(ctx, r, point, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// intercept returns what has every attempt at an activity made by a worker that may die.
func (r *reaper) intercept() interceptor.WorkerInterceptor { return &deadly{reaper: r} }

type deadly struct {
	interceptor.WorkerInterceptorBase
	reaper *reaper
}

func (d *deadly) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &deadlyActivity{reaper: d.reaper}
	in.Next = next
	return in
}

type deadlyActivity struct {
	interceptor.ActivityInboundInterceptorBase
	reaper *reaper
}

func (d *deadlyActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	again := activity.GetInfo(ctx).IsLocalActivity // the test environment gives no second attempt the time it needs
	for {
		err = d.reaper.attempt(ctx, func(ctx context.Context) (err error) {
			out, err = d.Next.ExecuteActivity(ctx, in)
			return err
		})
		if !again || !errors.Is(err, errDead) {
			return out, err
		}
	}
}

// mortal is the ledger of a worker that may die after each write.
type mortal struct {
	ledger.Ledger
	r *reaper
}

func (m mortal) ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error) {
	return effect(ctx, m.r, "ClaimUsername", func() (string, error) { return m.Ledger.ClaimUsername(ctx, personID, base, longest) })
}

func (m mortal) SaveAssessment(ctx context.Context, a ledger.Assessment) error {
	return m.r.change(ctx, "SaveAssessment", func() error { return m.Ledger.SaveAssessment(ctx, a) })
}

func (m mortal) BeginStep(ctx context.Context, a ledger.Attempt) (ledger.Begun, error) {
	return effect(ctx, m.r, "BeginStep", func() (ledger.Begun, error) { return m.Ledger.BeginStep(ctx, a) })
}

func (m mortal) NoteCreation(ctx context.Context, personID, app string, c ledger.Creation) error {
	return m.r.change(ctx, "NoteCreation", func() error { return m.Ledger.NoteCreation(ctx, personID, app, c) })
}

func (m mortal) FinishStep(ctx context.Context, o ledger.Outcome) error {
	return m.r.change(ctx, "FinishStep", func() error { return m.Ledger.FinishStep(ctx, o) })
}

func (m mortal) Admit(ctx context.Context, a ledger.AdmissionRequest) (ledger.Admission, error) {
	return effect(ctx, m.r, "Admit", func() (ledger.Admission, error) { return m.Ledger.Admit(ctx, a) })
}

func (m mortal) ChangeRequest(ctx context.Context, c ledger.RequestChange) (ledger.Request, error) {
	return effect(ctx, m.r, "ChangeRequest", func() (ledger.Request, error) { return m.Ledger.ChangeRequest(ctx, c) })
}

func (m mortal) LookAgainAt(ctx context.Context, request, revision int64, at time.Time) error {
	return m.r.change(ctx, "LookAgainAt", func() error { return m.Ledger.LookAgainAt(ctx, request, revision, at) })
}

func (m mortal) BeginScan(ctx context.Context, app, key string, at time.Time) (ledger.Scan, error) {
	return effect(ctx, m.r, "BeginScan", func() (ledger.Scan, error) { return m.Ledger.BeginScan(ctx, app, key, at) })
}

func (m mortal) Observe(ctx context.Context, page ledger.Listed) error {
	return m.r.change(ctx, "Observe", func() error { return m.Ledger.Observe(ctx, page) })
}

func (m mortal) EndListing(ctx context.Context, scan int64, at time.Time, reported int) (ledger.Scan, error) {
	return effect(ctx, m.r, "EndListing", func() (ledger.Scan, error) { return m.Ledger.EndListing(ctx, scan, at, reported) })
}

func (m mortal) NoteIdentifiers(ctx context.Context, at time.Time, ids []ledger.Identifier) error {
	return m.r.change(ctx, "NoteIdentifiers", func() error { return m.Ledger.NoteIdentifiers(ctx, at, ids) })
}

func (m mortal) SaveVerdicts(ctx context.Context, page ledger.Compared) ([]string, error) {
	return effect(ctx, m.r, "SaveVerdicts", func() ([]string, error) { return m.Ledger.SaveVerdicts(ctx, page) })
}

func (m mortal) EndScan(ctx context.Context, end ledger.ScanEnd) error {
	return m.r.change(ctx, "EndScan", func() error { return m.Ledger.EndScan(ctx, end) })
}

func (m mortal) FreezeReview(ctx context.Context, page ledger.FrozenPage) (ledger.Review, error) {
	return effect(ctx, m.r, "FreezeReview", func() (ledger.Review, error) { return m.Ledger.FreezeReview(ctx, page) })
}

func (m mortal) OpenReview(ctx context.Context, o ledger.ReviewOpening) (ledger.Review, error) {
	return effect(ctx, m.r, "OpenReview", func() (ledger.Review, error) { return m.Ledger.OpenReview(ctx, o) })
}

func (m mortal) ChangeReview(ctx context.Context, c ledger.ReviewChange) (ledger.Review, error) {
	return effect(ctx, m.r, "ChangeReview", func() (ledger.Review, error) { return m.Ledger.ChangeReview(ctx, c) })
}

func (m mortal) DecideRest(ctx context.Context, rest ledger.RestDecision, limit int) (int, error) {
	return effect(ctx, m.r, "DecideRest", func() (int, error) { return m.Ledger.DecideRest(ctx, rest, limit) })
}

func (m mortal) AssignItems(ctx context.Context, id int64, moves []ledger.ItemMove) error {
	if len(moves) == 0 {
		return nil
	}
	return m.r.change(ctx, "AssignItems", func() error { return m.Ledger.AssignItems(ctx, id, moves) })
}

func (m mortal) Revoke(ctx context.Context, revocation ledger.Revocation) error {
	return m.r.change(ctx, "Revoke", func() error { return m.Ledger.Revoke(ctx, revocation) })
}

func (m mortal) NoteRevoked(ctx context.Context, id int64, at time.Time, what []ledger.RevokedAccess) error {
	if len(what) == 0 {
		return nil
	}
	return m.r.change(ctx, "NoteRevoked", func() error { return m.Ledger.NoteRevoked(ctx, id, at, what) })
}

// mortalRuns is Temporal for a worker that may die after it has told a run.
type mortalRuns struct {
	activities.Runs
	r *reaper
}

func (m mortalRuns) Resume(ctx context.Context, id, why string) error {
	return m.r.change(ctx, "Resume", func() error { return nil }) // the next nudge comes anyhow
}

// A mortalLife is the life of 10001, whom the real workflows serve on apps in memory, while a worker
// dies that looks after requests, scans and reviews. 10000 is the manager, 10020 owns all roles,
// 10021 the wiki, and 10030 and 10031 are the fallback.
type mortalLife struct {
	*petition
	r     *reaper
	terms review.Terms
}

func newMortalLife(t *testing.T, r *reaper) *mortalLife {
	t.Helper()
	rules := testRules()
	rules.Roles = append(rules.Roles, policy.Role{
		Name: "admin", When: "person.department == 'Development'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}},
		About:   policy.RoleFacts{Owner: []string{"10020"}, Risk: policy.RiskPrivileged},
		Request: &policy.RequestRules{Most: 300 * day, Approve: [][]string{{"manager"}, {"owner"}}, Answer: 3 * day, Escalate: day},
	})
	for i := range rules.Roles {
		rules.Roles[i].About.Owner = []string{"10020"}
	}
	wiki := rules.Apps["wiki"]
	wiki.Owner = []string{"10021"}
	rules.Apps["wiki"], rules.Fallback = wiki, []string{"10030", "10031"}
	l := &mortalLife{petition: &petition{biography: newBiography(t, rules), told: map[int64]bool{}}, r: r, terms: review.Terms{
		Name: "yearly", Days: 14, Remind: []time.Duration{7 * day}, Escalate: 7 * day, Undecided: review.SilencePrivileged, Settle: day,
	}}
	l.interceptors = []interceptor.WorkerInterceptor{r.intercept()}
	for id, boss := range map[string]string{"10001": "10000", "10000": "10010", "10010": "", "10020": "10010", "10021": "10010", "10030": "", "10031": ""} {
		l.employs(id, boss)
	}
	book := &notice.Book{Mail: true, Fallback: rules.Fallback}
	l.o = operator.New(notice.Tell(l.ledger, book), silent{signals{l.biography}}, operator.Viewer{
		Policy: l.acts.Policy, Clock: clock.Func(l.now), Apps: configured{rules: assess.Rules{Policy: l.acts.Policy, Apps: l.acts.Rules().Apps}},
		Reviews: operator.Reviews{Terms: []review.Terms{l.terms}},
	})
	l.acts.Ledger = notice.Tell(mortal{l.ledger, r}, book)
	l.acts.Runs = mortalRuns{r: r}
	l.acts.Reviews = activities.Reviews{Terms: []review.Terms{l.terms}}
	l.acts.Scanner = &scan.Scanner{Ledger: l.acts.Ledger, Policy: l.acts.Policy, Clock: l.acts.Clock, Log: zap.NewNop(), Apps: map[string]scan.App{"wiki": {
		Terms: reconcile.Terms{Shrink: 0.1, Grace: 1, Flapping: 3, Reactions: map[reconcile.Kind]reconcile.Reaction{
			reconcile.Stray: reconcile.Repair, reconcile.Off: reconcile.Repair,
		}},
		Open: func(context.Context) (connector.Connector, error) { return l.acts.Apps["wiki"].Connector, nil },
	}}}
	for _, app := range l.apps {
		app.OnCall(func(ctx context.Context, _, _ string) error { return r.living(ctx) })
		app.AfterCall(func(ctx context.Context, op, _ string) error {
			if looks[op] {
				return nil
			}
			return r.pass(ctx, op)
		})
	}
	l.nudged(0, func() {})
	return l
}

// looks are the operations that change nothing.
var looks = map[string]bool{connector.OpFind: true, connector.OpRead: true, connector.OpCheck: true, connector.OpList: true, connector.OpPage: true}

// each has something looked after from a time on, again and again.
func (l *mortalLife) each(from, every, until time.Duration, do func()) {
	for at := from; at < until; at += every {
		l.on(at, do)
	}
}

// patiently makes attempts until one is heard of.
func (l *mortalLife) patiently(do func(context.Context) error) {
	for err := errDead; errors.Is(err, errDead); {
		err = l.r.attempt(context.Background(), func(ctx context.Context) error {
			err := do(ctx)
			if l.r.living(ctx) != nil {
				return errDead
			}
			return err
		})
		if !errors.Is(err, errDead) {
			require.NoError(l.t, err)
		}
	}
}

// scans has the wiki scanned, as the workflow Reconcile does.
func (l *mortalLife) scans(key string) {
	for more := true; more; {
		l.patiently(func(ctx context.Context) error {
			p, err := l.acts.Scan(ctx, activities.ScanRequest{App: "wiki", Key: key})
			more = p.More
			return err
		})
	}
}

// reviews looks at the reviews that are due, as the workflow Review does.
func (l *mortalLife) reviews() {
	due, err := l.ledger.Reviews(context.Background(), ledger.ReviewFilter{DueBy: l.now()}, 0, 10)
	require.NoError(l.t, err)
	for _, one := range due {
		for more := true; more; {
			l.patiently(func(ctx context.Context) error {
				p, err := l.acts.LookAtReview(ctx, one.ID)
				more = p.More
				return err
			})
		}
	}
}

// requests looks at the requests that are due, as the workflow Request does.
func (l *mortalLife) requests() {
	due, err := l.ledger.Requests(context.Background(), ledger.RequestFilter{DueBy: l.now()}, 0, 10)
	require.NoError(l.t, err)
	for _, one := range due {
		l.patiently(func(ctx context.Context) error {
			_, err := l.acts.LookAtRequest(ctx, one.ID)
			return err
		})
	}
}

// came returns everything that has come about: what apps show, and what the ledger says of
// requests, votes, exceptions, scans, findings, reviews and their items, of whom is told what, and
// the record without when it was written.
func (l *mortalLife) came() map[string][]string {
	l.t.Helper()
	ctx, out := context.Background(), map[string][]string{}
	add := func(what, format string, args ...any) { out[what] = append(out[what], fmt.Sprintf(format, args...)) }
	for name, app := range l.apps {
		for _, a := range app.Accounts() {
			add("accounts", "%s %s %s %t %v", name, a.Username, a.ExternalID, a.Active, a.Entitlements)
		}
	}
	for r, err := range ledger.AllRequests(ctx, l.ledger, ledger.RequestFilter{}, 0) {
		require.NoError(l.t, err)
		add("requests", "%s %s %s decided %s proven %t next %s", r.Name(), r.State, r.Why, r.DecidedAt, !r.ProvenAt.IsZero(), r.LookAt)
		votes, err := l.ledger.Votes(ctx, r.ID)
		require.NoError(l.t, err)
		for _, v := range votes {
			add("votes", "%s %d %s %q %s reminded %d", r.Name(), v.Stage, v.Voter, v.Vote, v.Authority, v.Reminders)
		}
	}
	for x, err := range ledger.AllExceptions(ctx, l.ledger, ledger.ExceptionFilter{}, 0) {
		require.NoError(l.t, err)
		add("exceptions", "%s %s %s %s %s %s from %s to %s, ended %t %s", x.Name(), x.Kind, x.Origin, x.App, x.Entitlement, x.Role, x.StartsAt, x.EndsAt, !x.EndedAt.IsZero(), x.EndReason)
	}
	scans, err := l.ledger.Scans(ctx, "wiki", 100)
	require.NoError(l.t, err)
	numbers := map[string]string{} // of scans: a second attempt at one may leave a number out
	for i, s := range scans {
		numbers[fmt.Sprint("scan ", s.ID)] = fmt.Sprint("last scan but ", i)
		add("scans", "last but %d: %s %s %d", i, s.State, s.Why, s.Accounts)
	}
	for f, err := range ledger.AllFindings(ctx, l.ledger, ledger.FindingFilter{Ended: true}) {
		require.NoError(l.t, err)
		add("findings", "%d %s %s %s %s %s seen %d times, over %t", f.ID, f.App, f.AccountID, f.Kind, f.What, f.State, f.Scans, !f.EndedAt.IsZero())
	}
	for r, err := range ledger.AllReviews(ctx, l.ledger, ledger.ReviewFilter{}, 0) {
		require.NoError(l.t, err)
		add("reviews", "%s %s %s %d %d closed %s done %t reminded %d", r.Ref(), r.State, r.Digest, r.Items, r.Accesses, r.ClosedAt, !r.DoneAt.IsZero(), r.Reminders)
		for i, err := range ledger.AllReviewItems(ctx, l.ledger, ledger.ItemFilter{Review: r.ID}) {
			require.NoError(l.t, err)
			add("items", "%d %s asked %s %s: %s by %s in effect %t proven %t", i.Item, i.Key, i.Reviewer, i.Also, i.Decision, i.DecidedBy, !i.EffectAt.IsZero(), !i.ProvenAt.IsZero())
		}
		for a, err := range ledger.AllReviewAccesses(ctx, l.ledger, ledger.AccessFilter{Review: r.ID}) {
			require.NoError(l.t, err)
			add("accesses", "%d %v %s proven %t %s", a.Item, a.AccessPlace, a.Effect, !a.ProvenAt.IsZero(), a.Needs)
		}
	}
	for n, err := range ledger.AllNotices(ctx, l.ledger, ledger.NoticeFilter{}, 0) {
		require.NoError(l.t, err)
		add("notices", "%s %s %s %s to %s", n.Kind, n.About, n.PersonID, n.App, n.To)
	}
	for row, err := range ledger.AllAudit(ctx, l.ledger, "", 0) {
		require.NoError(l.t, err)
		add("record", "%s %s %s by %s because %s", row.Action, row.PersonID, row.App, row.Actor, cmp.Or(numbers[row.Cause], row.Cause))
	}
	for what := range out {
		slices.Sort(out[what])
	}
	return out
}

// whereverItDies plays a life without a death, and then once for each point at which a worker can
// die. It requires that everything comes as it does without.
func whereverItDies(t *testing.T, atLeast int, until time.Duration, play func(l *mortalLife)) {
	t.Helper()
	lives := func(dies int, judge func(t *testing.T, came map[string][]string)) *reaper {
		r := &reaper{dies: dies, now: &life{}}
		t.Run(fmt.Sprint("point ", dies), func(t *testing.T) { // with apps of its own, since they are named after it
			l := newMortalLife(t, r)
			play(l)
			l.live(until)
			judge(t, l.came())
		})
		return r
	}
	var want map[string][]string
	undisturbed := lives(0, func(_ *testing.T, came map[string][]string) { want = came })
	require.GreaterOrEqual(t, undisturbed.passed, atLeast, "these are all the points")
	died := map[string]int{}
	for n := 1; n <= undisturbed.passed; n++ {
		r := lives(n, func(t *testing.T, came map[string][]string) { assert.Equal(t, want, came) })
		require.NotEmpty(t, r.died, "at point %d", n)
		died[r.died]++
	}
	t.Log(died)
}

// TestARequestWhereverAWorkerDies has access asked for, approved in two stages, given, and ended
// when its time is over.
func TestARequestWhereverAWorkerDies(t *testing.T) {
	t.Parallel()
	whereverItDies(t, 15, 4*day, func(l *mortalLife) {
		l.nudged(day, func() {
			l.r.armed = true
			_, err := l.ask(operator.RoleRequest{For: day})
			require.NoError(l.t, err)
		})
		l.each(day, 4*time.Hour, 4*day, l.requests)
		l.nudged(2*day+7*time.Hour+time.Minute, func() {})
		l.nudged(2*day+5*time.Hour, func() { // the manager was reminded by then
			_, err := l.decide(1, manager, ledger.VoteApprove)
			require.NoError(l.t, err)
		})
		l.nudged(2*day+7*time.Hour, func() {
			_, err := l.decide(1, "10020", ledger.VoteApprove)
			require.NoError(l.t, err)
		})
		l.sees(2*day+8*time.Hour, "wiki", "on [admins engineers]", "it was approved")
		l.sees(3*day+8*time.Hour, "wiki", "on [engineers]", "its time is over")
	})
}

// TestAScanWhereverAWorkerDies has an app scanned in which things were done by hand, and scanned
// again once they are repaired.
func TestAScanWhereverAWorkerDies(t *testing.T) {
	t.Parallel()
	whereverItDies(t, 15, 4*day, func(l *mortalLife) {
		l.nudged(day, func() {
			for i := range 120 { // two pages
				l.apps["wiki"].Put(connector.Account{Username: fmt.Sprint("u", i), Active: true})
			}
			l.scans("1")
			account, ok := l.accountOf("wiki", l.person)
			require.True(l.t, ok)
			wiki := l.acts.Apps["wiki"].Connector
			require.NoError(l.t, wiki.Grant(context.Background(), account.ID, []string{"editors"}))
			require.NoError(l.t, wiki.Disable(context.Background(), account.ID))
		})
		l.nudged(day+time.Hour, func() {
			l.r.armed = true
			l.scans("2")
		})
		l.nudged(day+2*time.Hour, func() {})
		l.nudged(2*day, func() { l.scans("3") })
	})
}

// TestAClosingReviewWhereverAWorkerDies holds a review in which somebody decides, is reminded and
// does not decide. What was revoked is taken and proven.
func TestAClosingReviewWhereverAWorkerDies(t *testing.T) {
	t.Parallel()
	whereverItDies(t, 25, 18*day, func(l *mortalLife) {
		l.nudged(time.Hour, func() {
			_, err := l.o.GrantRole(context.Background(), olga, operator.RoleGrant{PersonID: l.person, Role: "admin", For: 200 * day}, true)
			require.NoError(l.t, err)
		})
		l.nudged(2*time.Hour, func() {
			l.acts.Scanner.Apps["wiki"].Terms.Reactions[reconcile.Stray] = reconcile.Ask
			account, ok := l.accountOf("wiki", l.person)
			require.True(l.t, ok)
			require.NoError(l.t, l.acts.Apps["wiki"].Connector.Grant(context.Background(), account.ID, []string{"editors"}))
			l.scans("1")
		})
		l.nudged(day, func() {
			l.r.armed = true
			_, err := l.o.StartReview(context.Background(), olga, l.terms.Name, "", true)
			require.NoError(l.t, err)
		})
		l.each(day, day, 18*day, l.reviews)
		for _, at := range []time.Duration{4*day + time.Hour, 15*day + time.Hour, 17*day + time.Hour} {
			l.nudged(at, func() {})
		}
		decides := func(after time.Duration, as, key string, verdict ledger.ItemVerdict) {
			l.nudged(after, func() {
				found, err := l.ledger.ReviewItems(context.Background(), ledger.ItemFilter{Review: 1, Key: key}, 0, 1)
				require.NoError(l.t, err)
				require.Len(l.t, found, 1, key)
				_, err = l.o.DecideItems(context.Background(), olga, operator.ReviewDecision{Review: "v-1", Items: []int64{found[0].Item}, As: as, Verdict: verdict}, true)
				require.NoError(l.t, err)
			})
		}
		decides(2*day, "10020", "role:engineering", ledger.VerdictKeep)
		decides(3*day, "10021", strayKey, ledger.VerdictRevoke)
		l.sees(16*day, "wiki", "on [engineers]", "the review has revoked the rest")
	})
}

// accountOf returns somebody's account in an app.
func (l *mortalLife) accountOf(app, person string) (connector.Account, bool) {
	all := l.apps[app].Accounts()
	i := slices.IndexFunc(all, func(a connector.Account) bool { return a.ExternalID == person })
	if i < 0 {
		return connector.Account{}, false
	}
	return all[i], true
}
