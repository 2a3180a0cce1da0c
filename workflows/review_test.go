package workflows_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/review"
	"github.com/tenurehq/tenure/workflows"
)

// A campaign plays a review through the real workflow, the real activity, a real ledger and what
// operators do, with skipped time. 10001 and 10002 are engineers who work for 10000; 10002 has been
// granted the role admin (privileged), which 10020 owns; 10001 is in a group that nothing gives;
// 10021 owns the wiki; 10030 and 10031 are the fallback.
type campaign struct {
	*petition
	terms review.Terms
	// idle lists people whose runs do nothing: their steps need an operator, for example.
	idle map[string]bool
	// engine has the runs of people plan and do their steps in apps, as they really do.
	engine bool
	last   int64 // the review that ran last
	steps  int   // how many were done so far
	// askedFor lists the apps of which a scan was asked for.
	askedFor []string
}

// campaigners tells the runs of a campaign. The runs of people do at once what is planned.
type campaigners struct {
	signals
	c *campaign
}

func (r campaigners) Resume(_ context.Context, id, _ string) error {
	r.c.works(id)
	return nil
}

func (r campaigners) ResumeReview(_ context.Context, id int64, _ string) error {
	r.c.told[id] = true
	if r.c.running == id && r.c.env != nil {
		r.c.env.SignalWorkflow(workflows.SignalLookAgain, workflows.LookAgain{})
	}
	return nil
}

func newCampaign(t *testing.T, change func(rules *policy.Rules, terms *review.Terms)) *campaign {
	t.Helper()
	c := campaigning(t, change)
	_, err := c.o.GrantRole(t.Context(), olga, operator.RoleGrant{PersonID: "10002", Role: "admin", For: 100 * day}, true)
	require.NoError(t, err)
	for _, id := range []string{"10001", "10002"} {
		c.works(id)
	}
	c.scanned("wiki", "7-10001", "engineers", "editors")
	return c
}

// campaigning returns a campaign in which nobody has anything so far.
func campaigning(t *testing.T, change func(rules *policy.Rules, terms *review.Terms)) *campaign {
	t.Helper()
	rules := testRules()
	rules.Roles = append(rules.Roles, policy.Role{
		Name: "admin", When: "person.department == 'Development'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}},
		About:   policy.RoleFacts{Owner: []string{"10020"}, Risk: policy.RiskPrivileged},
		Request: &policy.RequestRules{Most: 300 * day, Approve: [][]string{{"manager"}}, Answer: day},
	})
	for i := range rules.Roles[:3] {
		rules.Roles[i].About.Owner = []string{"10020"}
	}
	wiki := rules.Apps["wiki"]
	wiki.Owner = []string{"10021"}
	rules.Apps["wiki"], rules.Fallback = wiki, []string{"10030", "10031"}
	c := &campaign{idle: map[string]bool{}, terms: review.Terms{
		Name: "yearly", Days: 14, Remind: []time.Duration{7 * day, 2 * day}, Escalate: 7 * day, Undecided: review.SilencePrivileged, Settle: day,
		KeepReason: review.ReasonUnexplained, RevokeReason: review.ReasonAlways,
	}}
	if change != nil {
		change(&rules, &c.terms)
	}
	c.petition = &petition{biography: newBiography(t, rules), told: map[int64]bool{}}
	c.acts.Reviews = activities.Reviews{Terms: []review.Terms{c.terms}}
	c.acts.Runs = openRuns{campaigners{c: c}}
	for id, boss := range map[string]string{"10001": "10000", "10002": "10000", "10000": "10010", "10010": "", "10020": "10010", "10021": "10010", "10030": "", "10031": ""} {
		c.employs(id, boss)
	}
	c.o = operator.New(c.ledger, campaigners{signals{c.biography}, c}, operator.Viewer{
		Policy: c.acts.Policy, Clock: clock.Func(c.now), Apps: configured{rules: c.rules()}, Reviews: operator.Reviews{Terms: []review.Terms{c.terms}},
	})
	return c
}

// openRuns is what the sweeper knows of runs, as far as reviews need it.
type openRuns struct{ campaigners }

func (r openRuns) Scan(_ context.Context, app string) error {
	r.c.askedFor = append(r.c.askedFor, app)
	return nil
}

func (openRuns) Strangers(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (openRuns) EndedByHand(context.Context, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (openRuns) Look(context.Context, string) (activities.Run, error)          { return activities.Run{}, nil }
func (openRuns) Told(context.Context, string) (time.Time, error)               { return time.Time{}, nil }
func (openRuns) Replace(context.Context, string, activities.Run, string) error { return nil }

// rules returns what decisions depend on.
func (c *campaign) rules() assess.Rules {
	traits := map[string]plan.App{}
	for _, app := range c.acts.Policy.Apps() {
		traits[app] = plan.App{Disable: true, Delete: true}
	}
	return assess.Rules{Policy: c.acts.Policy, Apps: traits}
}

// works does what a person's run does: it brings their accounts to what is planned, and proves it.
func (c *campaign) works(id string) {
	c.t.Helper()
	if c.idle[id] {
		return
	}
	if c.engine {
		c.runs(id)
		return
	}
	ctx, now := context.Background(), c.now()
	person, err := c.ledger.Person(ctx, id)
	require.NoError(c.t, err)
	d, err := c.rules().For(ctx, person, now, assess.Onlooker{Reader: c.ledger})
	require.NoError(c.t, err)
	summary := person.Summary
	summary.Status, summary.DueAt, summary.AssessedAt = d.Desired.Standing.Status, time.Time{}, now
	if p := d.Desired.Standing.Profile; p != nil {
		summary.Department, summary.JobTitle, summary.ManagerID = p.Department, p.JobTitle, p.ManagerID
	}
	require.NoError(c.t, c.ledger.SaveAssessment(ctx, ledger.Assessment{Summary: summary, LapsedExceptions: d.LapsedExceptions}))
	for _, app := range c.acts.Policy.Apps() {
		link := ledger.Link{PersonID: id, App: app, AccountID: "7-" + id, Username: id, State: ledger.LinkActive, CreatedAt: now, ProvenAt: now}
		i := slices.IndexFunc(d.Desired.Accounts, func(a policy.Account) bool { return a.App == app })
		had := slices.IndexFunc(person.Links, func(l ledger.Link) bool { return l.App == app })
		if had >= 0 {
			link.AccountID, link.Username, link.CreatedAt = person.Links[had].AccountID, person.Links[had].Username, person.Links[had].CreatedAt
		}
		switch {
		case i >= 0:
			link.Entitlements = d.Desired.Accounts[i].EntitlementNames()
		case had >= 0:
			link.State, link.DisabledAt = ledger.LinkDisabled, now
		default:
			continue
		}
		c.steps++
		require.NoError(c.t, c.ledger.FinishStep(ctx, ledger.Outcome{
			PersonID: id, App: app, Key: fmt.Sprint(app, c.steps), Kind: "Update", At: now, State: ledger.StepDone, Link: &link,
		}))
	}
}

// runs does what a person's run does: it assesses them, and does their steps in the apps.
func (c *campaign) runs(id string) {
	c.t.Helper()
	for range 10 {
		todo, err := c.acts.Engine.Assess(context.Background(), id)
		require.NoError(c.t, err)
		done := false
		for _, s := range todo.Todo {
			c.steps++
			result, _, err := c.acts.Engine.Apply(context.Background(), provision.Attempt{
				PersonID: id, Step: s.Step, Deadline: time.Now().Add(time.Minute), Token: fmt.Sprint(c.steps, id, s.Key), Detail: map[string]any{},
			})
			done = done || err == nil && result == provision.ResultDone
		}
		if !done {
			return
		}
	}
}

// scanned has a complete scan of an app see an account of 10001, a second from now.
func (c *campaign) scanned(app, account string, entitlements ...string) ledger.Scan {
	c.t.Helper()
	ctx, at := context.Background(), c.now().Add(time.Second)
	scan, err := c.ledger.BeginScan(ctx, app, fmt.Sprint(app, at), at)
	require.NoError(c.t, err)
	require.NoError(c.t, c.ledger.Observe(ctx, ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{
		{AccountID: account, At: at, Username: account, Active: true, Entitlements: entitlements},
	}}))
	scan, err = c.ledger.EndListing(ctx, scan.ID, at, -1)
	require.NoError(c.t, err)
	var found []ledger.Finding
	for _, e := range entitlements {
		if e != "engineers" {
			found = append(found, ledger.Finding{Kind: ledger.FindingStray, What: e, PersonID: "10001", Enabled: true, State: ledger.FindingOpen})
		}
	}
	_, err = c.ledger.SaveVerdicts(ctx, ledger.Compared{Scan: scan.ID, At: at, Verdicts: []ledger.Verdict{{AccountID: account, Findings: found}}})
	require.NoError(c.t, err)
	require.NoError(c.t, c.ledger.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: at, State: ledger.ScanDone}))
	return scan
}

// finds has a complete scan of the wiki find accounts that are nobody's, a second from now.
func (c *campaign) finds(orphans map[string][]string) {
	c.t.Helper()
	ctx, at := context.Background(), c.now().Add(time.Second)
	scan, err := c.ledger.BeginScan(ctx, "wiki", fmt.Sprint("orphans", at), at)
	require.NoError(c.t, err)
	listed, compared := ledger.Listed{Scan: scan.ID}, ledger.Compared{Scan: scan.ID, At: at}
	for _, id := range slices.Sorted(maps.Keys(orphans)) {
		listed.Accounts = append(listed.Accounts, ledger.Observed{AccountID: id, At: at, Username: id, Active: true, Entitlements: []string{"admins"}})
		compared.Verdicts = append(compared.Verdicts, ledger.Verdict{AccountID: id, Findings: []ledger.Finding{{
			Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen, Candidates: orphans[id],
		}}})
	}
	require.NoError(c.t, c.ledger.Observe(ctx, listed))
	_, err = c.ledger.EndListing(ctx, scan.ID, at, -1)
	require.NoError(c.t, err)
	_, err = c.ledger.SaveVerdicts(ctx, compared)
	require.NoError(c.t, err)
	require.NoError(c.t, c.ledger.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: at, State: ledger.ScanDone}))
}

// sweeps has the sweeper look after everybody now and then.
func (c *campaign) sweeps(from, to, every time.Duration) {
	for after := from; after < to; after += every {
		c.during(after, func() {
			_, err := c.acts.Sweep(context.Background())
			require.NoError(c.t, err)
		})
	}
}

// starts starts the review at a time.
func (c *campaign) starts(after time.Duration) {
	c.during(after, func() {
		_, err := c.o.StartReview(context.Background(), olga, c.terms.Name, "", true)
		require.NoError(c.t, err)
	})
}

// decides has somebody decide about an item, by its key, at a time.
func (c *campaign) decides(after time.Duration, as, key string, verdict ledger.ItemVerdict) {
	c.during(after, func() { require.NoError(c.t, c.says(as, key, verdict)) })
}

func (c *campaign) says(as, key string, verdict ledger.ItemVerdict, people ...string) error {
	_, err := c.o.DecideItems(context.Background(), olga, operator.ReviewDecision{
		Review: ledger.ReviewName(c.running), Items: []int64{c.item(key).Item}, As: as, Verdict: verdict, People: people,
	}, true)
	return err
}

// item returns an item of the review that runs or ran last.
func (c *campaign) item(key string) ledger.ReviewItem {
	c.t.Helper()
	found, err := c.ledger.ReviewItems(context.Background(), ledger.ItemFilter{Review: max(c.running, c.last), Key: key}, 0, 1)
	require.NoError(c.t, err)
	require.Len(c.t, found, 1, "item %s", key)
	return found[0]
}

// has lists the entitlements that somebody has in an app.
func (c *campaign) has(id, app string) []string {
	c.t.Helper()
	links, err := c.ledger.Links(context.Background(), ledger.LinkFilter{PersonID: id, App: app})
	require.NoError(c.t, err)
	require.Len(c.t, links, 1)
	return links[0].Entitlements
}

// holds plays what happens and the run of a review from its start on, until it ends or until a
// time.
func (c *campaign) holds(id int64, until time.Duration) {
	c.t.Helper()
	slices.SortStableFunc(c.events, func(x, y happening) int { return x.at.Compare(y.at) })
	for !c.told[id] {
		require.NotEmpty(c.t, c.events, "v-%d was started", id)
		e := c.events[0]
		c.events, c.at = c.events[1:], later(c.at, e.at)
		e.do()
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // what happens meanwhile is done in the run's own time
	env.SetStartTime(c.at)
	workflows.Register(env, c.acts)
	happened := 0
	for i := range c.events {
		event := c.events[i]
		env.RegisterDelayedCallback(func() {
			event.do()
			happened++
		}, max(event.at.Sub(c.at), 0))
	}
	env.RegisterDelayedCallback(func() { env.CancelWorkflow() }, max(epoch.Add(until).Sub(c.at), 0))
	c.running, c.last = id, id
	c.setEnv(env)
	env.ExecuteWorkflow(workflows.TypeReview, workflows.ReviewInput{Review: id})
	c.setEnv(nil)
	c.at, c.running, c.events = env.Now(), 0, c.events[happened:]
	require.True(c.t, env.IsWorkflowCompleted())
	c.done = env.GetWorkflowError() == nil
	if !c.done {
		c.t.Logf("the run ended with %v, at %s", env.GetWorkflowError(), c.at)
	}
}

// theReview returns a review as it stands.
func (c *campaign) theReview(id int64) operator.ShownReview {
	c.t.Helper()
	shown, err := c.o.ShowReview(context.Background(), ledger.ReviewName(id))
	require.NoError(c.t, err)
	return shown
}

// facts lists what the record says of the review as a whole, in order, with whom it is said to.
func (c *campaign) facts() []string {
	c.t.Helper()
	rows, err := c.ledger.Audit(context.Background(), "", 0, 10000)
	require.NoError(c.t, err)
	var all []string
	for _, r := range rows {
		if _, ok := r.Detail["review"]; ok {
			all = append(all, fmt.Sprintf("%s %s", r.Action, r.PersonID))
		}
	}
	return all
}

const (
	grantKey = "grant:x-1"
	strayKey = "access:10001:wiki:editors"
)

func TestAReviewGoesFromItsStartToAProvenRevocation(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.decides(3*time.Hour, "10021", strayKey, ledger.VerdictRevoke)
	c.during(26*time.Hour, func() { assert.Contains(t, c.has("10001", "wiki"), "engineers") })
	c.holds(1, 40*day)

	require.True(t, c.done, "the run has ended")
	stray := c.item(strayKey)
	assert.Equal(t, []any{"10021", "owner of app wiki", ledger.VerdictRevoke}, []any{stray.Reviewer, stray.Authority, stray.Decision})
	assert.Equal(t, at(27*time.Hour), stray.EffectAt, "it has settled for a day")
	assert.False(t, stray.ProvenAt.IsZero())

	grant := c.item(grantKey)
	assert.Equal(t, []any{"10000", "manager of 10002", ledger.VerdictRevoke, ledger.ReviewNobody}, []any{grant.Reviewer, grant.Authority, grant.Decision, grant.DecidedBy})
	assert.Equal(t, []string{"engineers"}, c.has("10002", "wiki"), "nobody decided about the privileged grant")
	x := c.grant(1)
	assert.Equal(t, "nobody decided by the end of the review", x.EndReason)

	shown := c.theReview(1)
	assert.Equal(t, ledger.ReviewClosed, shown.Review.State)
	assert.Equal(t, time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC), shown.Review.ClosedAt, "at the end of the last day")
	assert.False(t, shown.Review.DoneAt.IsZero())
	assert.Equal(t, review.Summary{
		Items: 4, Human: 2, Silence: 2, Kept: 2, Revoked: 2, Effective: 2, Proven: 2, Completion: 0.5,
	}, shown.Summary, "silence is no completion")
	assert.Equal(t, []string{
		"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021",
		"review_reminded 10000", "review_reminded 10020", "review_escalated 10010",
		"review_reminded 10000", "review_reminded 10020", "review_silence_previewed ", "review_ended ", "review_closed ", "review_done ",
	}, c.facts())
}

// The end of a review is moved: reminders and the preview of silence come before the new end.
func TestTheEndOfAReviewIsMoved(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate = 0 })
	c.starts(time.Hour)
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	c.during(13*day, func() { // both reminders, and the preview, were given
		_, err := c.o.ExtendReview(context.Background(), olga, "v-1", end.AddDate(0, -1, 0), true)
		require.ErrorContains(t, err, "name a later time")
		_, err = c.o.ExtendReview(context.Background(), olga, "v-1", end, true)
		require.NoError(t, err)
	})
	c.holds(1, 60*day)

	require.True(t, c.done, "the run has ended")
	assert.Equal(t, end, c.theReview(1).Review.ClosedAt)
	reminded := []string{"review_reminded 10000", "review_reminded 10020", "review_reminded 10021"}
	before := slices.Concat(reminded, reminded, []string{"review_silence_previewed "})
	assert.Equal(t, slices.Concat(
		[]string{"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021"}, before,
		[]string{"review_extended "}, before, []string{"review_ended ", "review_closed ", "review_done "},
	), c.facts())
}

// A review whose time is over although nobody was shown what silence would do, because nothing of
// Tenure ran, ends later.
func TestSilenceCountsOnlyAfterItWasShown(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate, terms.Remind = 0, nil })
	c.starts(time.Hour)
	c.during(3*time.Hour, func() {
		ctx := context.Background()
		is := c.theReview(1).Review
		is.EndsAt, is.LookAt = c.now(), c.now()
		_, err := c.ledger.ChangeReview(ctx, ledger.ReviewChange{Review: is, At: c.now()})
		require.NoError(t, err)
		require.NoError(t, campaigners{c: c}.ResumeReview(ctx, 1, "a test"))
	})
	c.decides(4*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.holds(1, 40*day)

	require.True(t, c.done, "the run has ended")
	assert.Equal(t, at(3*time.Hour+2*day), c.theReview(1).Review.ClosedAt)
	assert.Equal(t, []string{
		"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021",
		"review_extended ", "review_silence_previewed ", "review_ended ", "review_closed ", "review_done ",
	}, c.facts())
}

// Nobody decides after the end, even if nothing of Tenure runs that could close the review.
func TestAReviewIsNotDecidedAfterItsEnd(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.during(3*time.Hour, func() {
		is := c.theReview(1).Review
		is.PreviewedAt, is.EndsAt = c.now(), c.now() // the run hears nothing of it
		_, err := c.ledger.ChangeReview(context.Background(), ledger.ReviewChange{Review: is, At: c.now()})
		require.NoError(t, err)
		require.ErrorContains(t, c.says("10000", grantKey, ledger.VerdictKeep), "v-1 was to be decided by")
		_, err = c.o.ExtendReview(context.Background(), olga, "v-1", epoch.Add(10*day), true)
		require.NoError(t, err)
		require.NoError(t, c.says("10000", grantKey, ledger.VerdictKeep))
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
}

func TestItemsFollowWhoIsThere(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate, terms.Remind = 0, nil })
	c.starts(time.Hour)
	c.during(2*day, func() { // the owner of the roles leaves, and so does who has more than roles give
		for _, id := range []string{"10020", "10001"} {
			c.hr(hr.Event{
				Type: hr.EventTerminated, PersonID: id, Effective: hr.DateOf(c.now()),
				Termination: &hr.Termination{LastDay: hr.DateOf(c.now().Add(-day)), AccessEndsAt: c.now()},
			})
		}
		c.works("10001")
	})
	c.during(3*day, func() { // 10002 works for another
		who := profile("Development")
		who.ManagerID, who.StartDate = "10010", hr.DateOf(epoch.Add(-30*day))
		c.hr(hr.Event{Type: hr.EventUpdated, PersonID: "10002", Effective: hr.DateOf(c.now()), Profile: who})
	})
	c.during(5*day, func() {
		role, grant, stray := c.item("role:engineering"), c.item(grantKey), c.item(strayKey)
		assert.Equal(t, []string{"10030", "10020 is no longer here"}, []string{role.Reviewer, role.AssignedWhy})
		assert.Equal(t, []string{"10010", "manager of 10002", "others decide now"}, []string{grant.Reviewer, grant.Authority, grant.AssignedWhy})
		assert.Equal(t, []any{ledger.VerdictMoot, "the person has left"}, []any{stray.Decision, stray.Reason})
		_, err := c.o.MoveItems(context.Background(), olga, "v-1", []int64{role.Item}, "10031", true)
		require.NoError(t, err)
	})
	c.during(7*day, func() {
		assert.Equal(t, "10031", c.item("role:engineering").Reviewer, "what somebody has moved stays there")
		require.ErrorContains(t, c.says("10030", "role:engineering", ledger.VerdictKeep), "they are not asked about it. Asked is 10031")
		_, err := c.o.MoveItems(context.Background(), olga, "v-1", []int64{c.item(grantKey).Item}, "10002", true)
		require.ErrorContains(t, err, "is about what person 10002 has themself")
	})
	c.decides(8*day, "10031", "role:engineering", ledger.VerdictKeep)
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, 1, c.theReview(1).Summary.Moot)
}

func TestADecisionCanBeChangedUntilItTakesEffect(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.decides(20*time.Hour, "10000", grantKey, ledger.VerdictKeep)
	c.during(30*time.Hour, func() { assert.Contains(t, c.has("10002", "wiki"), "admins") })
	c.decides(40*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(63*time.Hour, func() { assert.Contains(t, c.has("10002", "wiki"), "admins") })
	c.during(65*time.Hour, func() {
		assert.NotContains(t, c.has("10002", "wiki"), "admins")
		require.ErrorContains(t, c.says("10000", grantKey, ledger.VerdictKeep), "the decision has taken effect, and stays")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, at(64*time.Hour), c.item(grantKey).EffectAt)
}

func TestNobodyDecidesAboutWhatTheyHaveThemself(t *testing.T) {
	c := newCampaign(t, nil)
	c.works("10020") // the owner of the role has it
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.during(3*time.Hour, func() {
		own := c.item("role:engineering:10020")
		assert.Equal(t, []any{"10020", "10030", ledger.ItemVerdict("")}, []any{own.PersonID, own.Reviewer, own.Decision}, "the fallback is asked")
		assert.Equal(t, 3, c.item("role:engineering").People, "10000, 10001 and 10002")
		require.ErrorContains(t, c.says("10020", "role:engineering:10020", ledger.VerdictKeep), "nobody decides about what they have themself")
	})
	c.decides(4*time.Hour, "10030", "role:engineering:10020", ledger.VerdictKeep)
	c.holds(1, 40*day)
	require.True(t, c.done)
}

func TestWhatARoleGivesIsWithheldUntilTheNextReviewDecides(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle, terms.Undecided = 0, review.SilenceKeeps })
	c.starts(time.Hour)
	c.during(2*time.Hour, func() { require.NoError(t, c.says("10020", "role:engineering", ledger.VerdictRevoke, "10002")) })
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Empty(t, c.item("role:engineering").EffectAt, "the others keep it")
	assert.Equal(t, []string{"admins"}, c.has("10002", "wiki"), "the account stays, and so does the grant")
	assert.Equal(t, []string{"engineers"}, c.has("10001", "wiki"))

	c.starts(50 * day)
	c.holds(2, 80*day)
	require.True(t, c.done)
	withheld, err := c.ledger.ReviewItems(t.Context(), ledger.ItemFilter{Review: 2, Kind: string(review.Withheld)}, 0, 10)
	require.NoError(t, err)
	require.Len(t, withheld, 2, "in the wiki and in the directory")
	assert.Equal(t, []any{ledger.VerdictRevoke, ledger.ReviewNobody}, []any{withheld[0].Decision, withheld[0].DecidedBy}, "silence gives nothing back")
	assert.Equal(t, []string{"admins"}, c.has("10002", "wiki"))

	c.starts(90 * day)
	for _, i := range withheld {
		c.decides(91*day, "10000", i.Key, ledger.VerdictKeep)
	}
	c.holds(3, 120*day)
	require.True(t, c.done)
	assert.Contains(t, c.has("10002", "wiki"), "engineers", "it was decided that they should have it")
}

func TestTheRunOfAReviewStaysUntilWhatWasRevokedIsGone(t *testing.T) {
	c := newCampaign(t, nil)
	c.idle["10002"] = true
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(20*day, func() {
		shown := c.theReview(1)
		assert.Equal(t, []any{ledger.ReviewClosed, true, 0}, []any{shown.Review.State, shown.Review.DoneAt.IsZero(), shown.Summary.Proven})
		assert.Equal(t, 1, shown.Summary.Effective, "decided is not done")
		c.idle["10002"] = false
		c.works("10002")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(20*day), at(20*day+6*time.Hour))
}

// A grant is about what nothing else gives: the account of a role goes on.
func TestAGrantThatIsRevokedLeavesWhatARoleGives(t *testing.T) {
	c := newCampaign(t, func(rules *policy.Rules, terms *review.Terms) {
		admin := &rules.Roles[len(rules.Roles)-1]
		admin.Grants = append(admin.Grants, policy.Grant{App: "chat", Entitlements: []string{"calls"}})
		terms.Settle = 0
	})
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, 2, c.item(grantKey).Accesses, "admins in the wiki and calls in the chat, and no account")
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(2*time.Hour), at(8*time.Hour))
	assert.Empty(t, c.has("10002", "chat"))
}

// What was revoked may be given by something else before it is gone: a review does not wait for
// ever then.
func TestWhatIsGivenAnewBeforeItIsGoneStays(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle = 0 })
	c.idle["10002"] = true
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(20*day, func() {
		assert.True(t, c.item(grantKey).ProvenAt.IsZero())
		_, err := c.o.GrantRole(t.Context(), olga, operator.RoleGrant{PersonID: "10002", Role: "admin", For: 100 * day}, true)
		require.NoError(t, err)
		c.idle["10002"] = false
		c.works("10002")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(20*day), at(20*day+6*time.Hour))
	assert.Contains(t, c.has("10002", "wiki"), "admins")
	rows, err := c.ledger.Audit(t.Context(), "10002", 0, 1000)
	require.NoError(t, err)
	n := slices.IndexFunc(rows, func(r ledger.AuditRow) bool { return r.Action == ledger.AuditReviewGiven })
	require.GreaterOrEqual(t, n, 0)
	assert.Equal(t, []any{"admin (x-2)"}, rows[n].Detail["by"])
	assert.False(t, slices.ContainsFunc(rows, func(r ledger.AuditRow) bool { return r.Action == ledger.AuditReviewProven }), "nothing is gone")
}

func TestAReviewBeginsOnItsDayOnce(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.On = []review.Day{{Month: time.November, Day: 5}} })
	sweep := func(after time.Duration) int {
		c.at = at(after)
		_, err := c.acts.Sweep(t.Context())
		require.NoError(t, err)
		all, err := ledger.Collect(ledger.AllReviews(t.Context(), c.ledger, ledger.ReviewFilter{}, 0))
		require.NoError(t, err)
		return len(all)
	}
	assert.Zero(t, sweep(2*day))
	assert.Equal(t, 1, sweep(3*day))
	assert.True(t, c.told[1], "its run is started")
	assert.Equal(t, 1, sweep(4*day))
	assert.Equal(t, 1, sweep(60*day))
	assert.Equal(t, 2, sweep(368*day))
}
