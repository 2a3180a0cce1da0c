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

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
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

func (openRuns) Strangers(context.Context, time.Time) iter.Seq2[string, error] {
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
