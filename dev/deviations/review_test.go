//go:build real

package deviations

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/dev/targets"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/review"
	"github.com/tenurehq/tenure/workflows"
)

const day = 24 * time.Hour

// population is what people have, as the ledger's tables say: what Tenure gave and has proven, what
// the last scan saw beyond that, and accounts that are nobody's.
const population = `
WITH mine AS (
	SELECT l.person_id, l.app, l.account_id, l.entitlements, l.proven_at FROM links l JOIN people p ON p.id = l.person_id
	WHERE l.state = 'active' OR l.state = 'disabled' AND p.status NOT IN ('', 'unknown', 'ended')
), nobodys AS (
	SELECT DISTINCT o.app, o.account_id, o.entitlements FROM findings f JOIN observed o ON o.app = f.app AND o.account_id = f.account_id
	WHERE f.kind IN ('orphan', 'unlinked', 'disputed') AND f.ended_at IS NULL
)
SELECT person_id, app, '' AS account_id, '' AS entitlement FROM mine
UNION SELECT m.person_id, m.app, '', e.value FROM mine m, json_each(m.entitlements) e
UNION SELECT m.person_id, m.app, m.account_id, e.value
	FROM mine m JOIN observed o ON o.app = m.app AND o.account_id = m.account_id AND o.at > m.proven_at, json_each(o.entitlements) e
	WHERE e.value NOT IN (SELECT value FROM json_each(m.entitlements))
UNION SELECT '', app, account_id, '' FROM nobodys
UNION SELECT '', n.app, n.account_id, e.value FROM nobodys n, json_each(n.entitlements) e
ORDER BY 1, 2, 3, 4`

// review holds a review of the company. It is the workflow, on Temporal's test server, which skips
// time, with the activity, the ledger, the operators' verbs and the connectors of the product. What
// people's runs would do, the office does every hour. One reviewer keeps all, one leaves, one does
// nothing, and one revokes what nothing gives.
func (f *firm) review(t *testing.T) {
	t.Cleanup(func() { f.setEnv(nil) })
	f.engine.Breaker = f.config.Breaker
	require.NotNil(t, f.engine.Breaker)
	c := &campaign{T: t, firm: f}
	c.operator = operator.New(f.ledger, reviewRuns{campaign: c}, operator.Viewer{
		Policy: f.config.Policy, Clock: clock.Func(f.now), Apps: f.known,
		Reviews: operator.Reviews{Terms: f.config.Reviews, Fresh: f.config.Governance.Freshness, Zone: f.config.Governance.TimeZone, Limits: f.config.Breaker},
	})
	begun, before := time.Now(), f.accounts(t)

	started, err := c.operator.StartReview(t.Context(), olga, "yearly", "", true)
	require.NoError(t, err)
	c.id = started.Review.ID
	c.at(time.Hour, func() { c.checkPopulation(before) })
	c.at(2*time.Hour, c.firstWords)
	c.at(3*day, func() { c.leaves(f.cast.leaver) })
	c.at(6*day, c.fallbackDecides)
	c.at(13*day, c.checkPreview)
	c.at(18*day, func() { c.checkHeld(before) })
	c.at(18*day+time.Hour, c.release)
	c.run(30 * day)

	for app, want := range c.expected(before) {
		assert.Equal(t, want, f.accounts(t)[app], "%s is not as was decided", app)
	}
	shown, err := c.operator.ShowReview(t.Context(), ledger.ReviewName(c.id))
	require.NoError(t, err)
	assert.False(t, shown.Review.DoneAt.IsZero(), "the review is over")
	unproven := c.asks(`SELECT person_id, app, entitlement, needs FROM review_accesses WHERE review_id = ? AND effect_at IS NOT NULL AND proven_at IS NULL`, c.id)
	assert.Empty(t, unproven, "revoked, and not proven")
	s := shown.Summary
	assert.Equal(t, []int{s.Revoked, s.Revoked, 1}, []int{s.Effective, s.Proven, s.Silence}, "each revocation was proven; nobody decided about the sellers only")
	t.Logf("%d accounts and entitlements, %d items: %d kept, %d revoked, %d by silence, %d moot; %d revocations proven; %d people were held by the breaker and released; it took %s",
		shown.Review.Accesses, s.Items, s.Kept, s.Revoked, s.Silence, s.Moot, len(c.proven()), len(c.held), time.Since(begun).Round(time.Second))
}

var olga = operator.Request{Actor: "olga", Reason: "the yearly review"}

// accounts returns what every server shows by its own tools, by app.
func (f *firm) accounts(t *testing.T) map[string]map[string]targets.Account {
	t.Helper()
	all := map[string]map[string]targets.Account{}
	for _, s := range f.sites {
		all[s.app] = s.Accounts(t)
	}
	return all
}

// campaign is the course of the review.
type campaign struct {
	*testing.T
	*firm
	operator *operator.Operator
	id       int64
	course   []happening
	some     []string // makers who are not to be any more
	held     []string // sellers whom the breaker holds
}

// happening is something that is done at a time after the start.
type happening struct {
	after time.Duration
	do    func()
}

func (c *campaign) at(after time.Duration, do func()) {
	c.course = append(c.course, happening{after, do})
}

// reviewRuns stands for the runs of people and reviews: whoever is told is due.
type reviewRuns struct {
	operator.Runs
	*campaign
}

func (r reviewRuns) Resume(_ context.Context, id, _ string) error {
	r.resume(id)
	return nil
}

func (r reviewRuns) ResumeReview(context.Context, int64, string) error {
	r.mu.Lock()
	env := r.env
	r.mu.Unlock()
	if env != nil {
		env.SignalWorkflow(workflows.SignalLookAgain, workflows.LookAgain{})
	}
	return nil
}

// activityRuns is the same for activities. The review asks for nothing else.
type activityRuns struct {
	activities.Runs
	reviewRuns
}

func (r activityRuns) Resume(ctx context.Context, id, why string) error {
	return r.reviewRuns.Resume(ctx, id, why)
}

func (r activityRuns) ResumeReview(ctx context.Context, id int64, why string) error {
	return r.reviewRuns.ResumeReview(ctx, id, why)
}

func (r activityRuns) ResumeRequest(context.Context, int64, string) error { return nil }

func (r activityRuns) Strangers(context.Context, time.Time) iter.Seq2[string, error] {
	return maps.All(map[string]error{})
}

func (f *firm) setEnv(env *testsuite.TestWorkflowEnvironment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.env = env
}

// run runs the review until it ends, for some time at most. Every hour the office does what is due.
func (c *campaign) run(longest time.Duration) {
	c.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(20 * time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 20 * time.Minute}) // what happens meanwhile is done in the run's own time
	env.SetStartTime(time.Now())
	workflows.Register(env, &activities.Activities{
		Engine: c.engine, Runs: activityRuns{reviewRuns: reviewRuns{campaign: c}},
		Reviews: activities.Reviews{Terms: c.config.Reviews, Fresh: c.config.Governance.Freshness, Zone: c.config.Governance.TimeZone},
	})
	for hour := 30 * time.Minute; hour < longest; hour += time.Hour {
		c.at(hour, func() { require.NoError(c, c.settle()) })
	}
	for _, h := range c.course {
		env.RegisterDelayedCallback(h.do, h.after)
	}
	env.RegisterDelayedCallback(env.CancelWorkflow, longest)
	c.setEnv(env)
	env.ExecuteWorkflow(workflows.TypeReview, workflows.ReviewInput{Review: c.id})
	require.True(c, env.IsWorkflowCompleted())
	require.NoError(c, env.GetWorkflowError(), "the run ends by itself")
}

// asks asks the ledger's own tables.
func (c *campaign) asks(query string, args ...any) [][]string {
	c.Helper()
	rows, err := c.tables(query, args...)
	require.NoError(c, err)
	return rows
}

// items lists the items that match a filter.
func (c *campaign) items(filter ledger.ItemFilter) []ledger.ReviewItem {
	c.Helper()
	filter.Review = c.id
	found, err := ledger.Collect(ledger.AllReviewItems(context.Background(), c.ledger, filter))
	require.NoError(c, err)
	return found
}

// decides has somebody decide about an item.
func (c *campaign) decides(as string, i ledger.ReviewItem, verdict ledger.ItemVerdict, people ...string) {
	c.Helper()
	_, err := c.operator.DecideItems(context.Background(), olga, operator.ReviewDecision{
		Review: ledger.ReviewName(c.id), Items: []int64{i.Item}, As: as, Verdict: verdict, People: people,
	}, true)
	require.NoError(c, err, "%s, by %s", review.Title(i), as)
}

// checkPopulation compares the population with what the ledger's tables say, and with what the
// servers' own tools show.
func (c *campaign) checkPopulation(before map[string]map[string]targets.Account) {
	want := c.asks(population)
	got := c.asks(`SELECT person_id, app, account_id, entitlement FROM review_accesses WHERE review_id = ? ORDER BY 1, 2, 3, 4`, c.id)
	require.Equal(c, lines(want), lines(got), "the population")
	shown, err := c.operator.ShowReview(context.Background(), ledger.ReviewName(c.id))
	require.NoError(c, err)
	require.Equal(c, ledger.ReviewOpen, shown.Review.State)
	assert.Equal(c, len(want), shown.Review.Accesses)
	assert.NotEmpty(c, shown.Review.Digest)

	var peoples, shows []string
	nobodys := 0
	for _, row := range got {
		switch person, app, entitlement := row[0], row[1], row[3]; {
		case app == "register": // it has no tools
		case person != "":
			peoples = append(peoples, person+" "+app+" "+strings.TrimPrefix(entitlement, c.prefix))
		case entitlement == "":
			nobodys++
		}
	}
	strangers := 0
	for app, accounts := range before {
		for username, a := range accounts {
			switch {
			case strings.HasPrefix(username, "svc-"), slices.Contains(c.left, a.Person), strings.HasPrefix(a.Person, "g"):
			case username != "u"+a.Person:
				strangers++
			default:
				for _, group := range append([]string{""}, a.Groups...) {
					shows = append(shows, a.Person+" "+app+" "+group)
				}
			}
		}
	}
	var lacking []string // what the administrator of PostgreSQL took, and an operator is asked about
	for _, finding := range c.asked {
		app, rest, _ := strings.Cut(finding, ": ")
		if fields := strings.Fields(rest); fields[0] == "lacking" {
			lacking = append(lacking, fields[3]+" "+app+" "+strings.TrimPrefix(fields[1], c.prefix))
		}
	}
	assert.Equal(c, slices.Sorted(slices.Values(append(shows, lacking...))), slices.Sorted(slices.Values(peoples)), "what the servers show, and the population")
	assert.Equal(c, strangers, nobodys, "accounts that are nobody's")
}

func lines(rows [][]string) []string {
	all := make([]string, len(rows))
	for i, row := range rows {
		all[i] = strings.Join(row, "|")
	}
	return all
}

// firstWords has those decide who do so at once: one keeps all, one revokes what nothing gives.
func (c *campaign) firstWords() {
	for _, i := range c.items(ledger.ItemFilter{Open: true}) {
		switch {
		case i.Reviewer == c.cast.strict && i.Kind == string(review.Stray):
			c.decides(c.cast.strict, i, ledger.VerdictRevoke)
		case i.Reviewer == c.cast.strict, i.Reviewer == c.cast.keeper:
			c.decides(i.Reviewer, i, ledger.VerdictKeep)
		}
	}
}

// leaves has somebody leave.
func (c *campaign) leaves(id string) {
	now := c.now()
	require.NoError(c, c.hear([]hr.Event{{
		EventKey: hr.EventKey{Source: "/hr/beyond", ID: "leaves"}, Type: hr.EventTerminated, PersonID: id, Recorded: now, Effective: hr.DateOf(now),
		Termination: &hr.Termination{LastDay: hr.DateOf(now.Add(-day)), AccessEndsAt: now},
	}}))
}

// fallbackDecides has those decide who are asked since others cannot: about the makers, since
// their owner has left, and about what owners have themselves.
func (c *campaign) fallbackDecides() {
	for _, i := range c.items(ledger.ItemFilter{Open: true}) {
		if i.Key == "role:makers" {
			require.Equal(c, c.cast.fallback, i.Reviewer, "their owner has left")
			for _, row := range c.asks(`SELECT DISTINCT person_id FROM review_accesses WHERE review_id = ? AND item = ? ORDER BY 1 LIMIT 3`, c.id, i.Item) {
				c.some = append(c.some, row[0])
			}
			c.decides(i.Reviewer, i, ledger.VerdictRevoke, c.some...)
		}
		if i.Key != "role:sellers" && i.Reviewer != "" {
			c.decides(i.Reviewer, i, ledger.VerdictKeep)
		}
	}
}

// checkPreview sees what silence would do two days before the end.
func (c *campaign) checkPreview() {
	for _, i := range c.items(ledger.ItemFilter{Open: true}) {
		assert.Equal(c, "role:sellers", i.Key, "%s is asked about it", i.Reviewer)
		assert.Equal(c, c.cast.idler, i.Reviewer)
		assert.NotEmpty(c, i.Also, "the next one up was asked as well")
	}
	shown, err := c.operator.ShowReview(context.Background(), ledger.ReviewName(c.id))
	require.NoError(c, err)
	require.NotNil(c, shown.Silence)
	assert.Equal(c, len(c.sellers()), shown.Silence.People)
	assert.True(c, shown.Silence.Holds(), "the breaker would hold %d people, with %d allowed", shown.Silence.People, shown.Silence.Allowed)
}

// sellers lists who has what the role sellers gives, by the ledger's tables.
func (c *campaign) sellers() []string { return c.sellersWith("") }

func (c *campaign) sellersWith(condition string) (people []string) {
	rows := c.asks(`SELECT DISTINCT a.person_id FROM review_accesses a JOIN review_items i ON i.review_id = a.review_id AND i.item = a.item
		WHERE a.review_id = ? AND i.key = 'role:sellers' `+condition+` ORDER BY 1`, c.id)
	for _, row := range rows {
		people = append(people, row[0])
	}
	return people
}

// checkHeld sees that nothing was done about what nobody had decided.
func (c *campaign) checkHeld(before map[string]map[string]targets.Account) {
	cohorts, err := c.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
	require.NoError(c, err)
	require.Len(c, cohorts, 1, "the breaker holds")
	c.held, err = c.operator.Held(context.Background(), cohorts[0])
	require.NoError(c, err)
	assert.Equal(c, c.sellersWith(`AND EXISTS (SELECT 1 FROM links l WHERE l.person_id = a.person_id AND l.app = a.app AND l.state = 'active')`), c.held,
		"all but those whose accounts are off while they are on leave")
	sells := func(a targets.Account) bool { return slices.Contains(a.Groups, "sellers") }
	for app, now := range c.accounts(c.T) {
		for _, id := range c.held {
			assert.Equal(c, sells(before[app]["u"+id]), sells(now["u"+id]), "%s, person %s: nothing was done so far", app, id)
		}
	}
	waits := c.asks(`SELECT DISTINCT needs FROM review_accesses WHERE review_id = ? AND effect_at IS NOT NULL AND proven_at IS NULL`, c.id)
	assert.Equal(c, [][]string{{"the breaker holds it: " + cohorts[0].Name()}}, waits)
}

// release has an operator release what the breaker holds.
func (c *campaign) release() {
	cohorts, err := c.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
	require.NoError(c, err)
	for _, cohort := range cohorts {
		_, err := c.operator.DecideCohort(context.Background(), operator.Release, olga, cohort, c.held, nil, nil)
		require.NoError(c, err)
	}
}

// proven lists what was revoked and is proven to be gone, by the ledger's tables.
func (c *campaign) proven() [][]string {
	return c.asks(`SELECT person_id, app, entitlement FROM review_accesses WHERE review_id = ? AND effect_at IS NOT NULL AND proven_at IS NOT NULL`, c.id)
}

// expected returns what each server has to show in the end: what it showed before, without what
// was revoked, and without the one who left.
func (c *campaign) expected(before map[string]map[string]targets.Account) map[string]map[string]targets.Account {
	want := map[string]map[string]targets.Account{}
	take := func(app, username, group string) {
		a := want[app][username]
		a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(name string) bool { return name == group })
		if len(a.Groups) == 0 {
			a.Groups = nil
		}
		want[app][username] = a
	}
	for app, accounts := range before {
		want[app] = maps.Clone(accounts)
		for _, id := range c.some {
			take(app, "u"+id, "makers")
		}
		for _, id := range c.held {
			take(app, "u"+id, "sellers")
		}
		gone := want[app]["u"+c.cast.leaver]
		gone.On, gone.Groups = false, nil
		want[app]["u"+c.cast.leaver] = gone
	}
	for _, finding := range c.asked {
		app, rest, _ := strings.Cut(finding, ": ")
		if fields := strings.Fields(rest); fields[0] == "stray" {
			take(app, fields[2], strings.TrimPrefix(fields[1], c.prefix))
		}
	}
	return want
}
