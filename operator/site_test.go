package operator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/review"
)

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// runs notes who was told.
type runs struct {
	told []string // people and requests
	down error
}

func (r *runs) Ready(context.Context) error { return r.down }

func (r *runs) Resume(_ context.Context, personID, _ string) error {
	if r.down == nil {
		r.told = append(r.told, personID)
	}
	return r.down
}

func (r *runs) ResumeRequest(_ context.Context, id int64, _ string) error {
	return r.Resume(context.Background(), ledger.RequestName(id), "")
}

func (r *runs) ResumeReview(_ context.Context, id int64, _ string) error {
	return r.Resume(context.Background(), ledger.ReviewName(id), "")
}

func (r *runs) Scan(_ context.Context, app string) error {
	r.told = append(r.told, "scan of "+app)
	return r.down
}

func (r *runs) Deliver(ctx context.Context, e hr.Event, _ int64) error {
	return r.Resume(ctx, e.PersonID, "")
}

// apps holds the apps of a configuration: the wiki, which is kept in memory.
type apps struct {
	rules assess.Rules
	wiki  connector.Connector
}

func (a apps) Find(app string) error {
	if _, ok := a.rules.Apps[app]; !ok {
		return errors.New("there is no app " + app)
	}
	return nil
}

func (a apps) Rules(context.Context) (assess.Rules, error)               { return a.rules, nil }
func (a apps) Traits(_ context.Context, app string) (plan.App, error)    { return a.rules.Apps[app], nil }
func (a apps) Open(context.Context, string) (connector.Connector, error) { return a.wiki, nil }

func (a apps) OpenPaced(ctx context.Context, app string) (connector.Connector, error) {
	return a.Open(ctx, app)
}

func (a apps) EnoughSeats(string) ledger.EnoughSeats {
	return ledger.EnoughSeats{Share: 0.05, Ahead: 30 * 24 * time.Hour}
}

// engine is an Engine that reports that the account in the wiki is off, and that chat
// failed.
type engine struct{}

func (engine) CutOff(_ context.Context, req provision.CutOffRequest, tell func(provision.CutOffResult)) error {
	tell(provision.CutOffResult{App: "wiki", Link: ledger.Link{PersonID: req.PersonID, App: "wiki", State: ledger.LinkDisabled, ProvenAt: now}})
	tell(provision.CutOffResult{App: "chat", Code: "unreachable", Message: "no answer"})
	return nil
}

// site is an operator with a ledger. In it ada is employed, has an account that was
// turned off, and needs attention; bob is her earlier ID.
type site struct {
	*operator.Operator
	runs   *runs
	ledger ledger.Ledger
	wiki   *memory.App
	path   string
}

func newSite(t *testing.T) *site {
	t.Helper()
	path := sqlitetest.New(t)
	l, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {Protected: []string{"breakglass"}}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "wiki"}}},
			{Name: "admin", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}}, Request: &policy.RequestRules{Most: time.Hour}},
			{
				Name: "auditor", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"auditors"}}}, About: policy.RoleFacts{Owner: []string{"bob"}},
				Request: &policy.RequestRules{
					Most: time.Hour, Approve: [][]string{{policy.DecideOwner}}, Answer: 72 * time.Hour,
					Emergency: &policy.EmergencyRules{Most: time.Hour, Confirm: time.Hour},
				},
			},
		},
		Fallback: []string{"bob"},
		Duties: []policy.Duty{{
			Name: "apart", Mode: policy.DutyDetect, Waive: &policy.WaiveRules{Most: time.Hour},
			One: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}}, Other: []policy.Grant{{App: "wiki", Entitlements: []string{"auditors"}}},
		}},
	})
	require.NoError(t, err)
	wiki := memory.Shared(t.Name())
	wiki.Reset()
	kind, ok := catalog.Lookup("memory")
	require.True(t, ok)
	conn, err := kind.Open(t.Context(), connector.Env{App: t.Name()}, connector.Settings{"recycleBin": "720h"})
	require.NoError(t, err)
	traits := plan.App{Disable: true, Delete: true, RecycleBin: 30 * 24 * time.Hour, Restore: true, Leaver: policy.LeaverRules{Delete: true, Approval: true, Retain: time.Hour}}
	r := &runs{}
	s := &site{runs: r, ledger: l, wiki: wiki, path: path, Operator: operator.New(l, r, operator.Viewer{
		Policy: rules, Clock: clock.Func(func() time.Time { return now }),
		Reviews: operator.Reviews{Terms: []review.Terms{{Name: "yearly", Days: 7, Settle: time.Hour}}},
		Apps:    apps{assess.Rules{Policy: rules, Apps: map[string]plan.App{"wiki": traits}}, conn},
	})}
	s.Engine = engine{}
	for _, id := range []string{"ada", "bob"} {
		_, err := l.Record(t.Context(), []ledger.Received{{At: now.Add(-time.Hour), Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "hired-" + id}, Type: hr.EventHired, PersonID: id,
			Recorded: now.Add(-time.Hour), Effective: hr.DateOf(now.AddDate(0, -1, 0)),
			Profile: &hr.Profile{
				Type: hr.TypeEmployee, GivenName: "A", FamilyName: id, StartDate: hr.DateOf(now.AddDate(0, -1, 0)),
				Location: hr.Location{TimeZone: "UTC"},
			},
		}}})
		require.NoError(t, err)
	}
	person, err := l.Person(t.Context(), "ada")
	require.NoError(t, err)
	summary := person.Summary
	summary.Status, summary.AssessedAt = hr.StatusActive, now
	require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: summary, Steps: []ledger.Step{
		{PersonID: "ada", App: "wiki", Kind: "Update", Key: "wiki/Update/1", State: ledger.StepAttention, Code: "invalid", PlannedAt: now},
		{PersonID: "ada", App: "chat", Kind: "Disable", Key: "chat/Disable/1", State: ledger.StepOpen, PlannedAt: now},
	}}))
	_, err = l.BeginStep(t.Context(), ledger.Attempt{PersonID: "ada", App: "chat", Key: "chat/Disable/1", Kind: "Disable", At: now, Deadline: now.Add(time.Second)})
	require.NoError(t, err)
	_, err = l.OpenTask(t.Context(), ledger.Task{
		PersonID: "ada", App: "chat", Key: "chat/Disable/1", Kind: "Disable", Assignee: "it", State: ledger.TaskOpen,
		OpenedAt: now, DueAt: now.Add(time.Hour), LookAt: now.Add(time.Hour),
	})
	require.NoError(t, err)
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{ // the step waits for the task
		PersonID: "ada", App: "chat", Key: "chat/Disable/1", Kind: "Disable", At: now, State: ledger.StepOpen, Code: "waiting",
	}))
	_, err = l.RecordDeadLetter(t.Context(), ledger.DeadLetter{
		At: ledger.Position{Topic: "dead"}, Origin: ledger.Position{Topic: "hr"}, Digest: "d", Reason: "schema", ReceivedAt: now,
		PersonID: "ada", Urgent: true, State: ledger.LetterOpen,
	})
	require.NoError(t, err)
	return s
}

func (s *site) audit(t *testing.T) []ledger.AuditRow {
	t.Helper()
	rows, err := s.Ledger.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	return rows
}

// record is a Record that can be sent.
type record struct{ sent *int }

func (r record) Open(context.Context, ledger.DeadLetter) (operator.Record, error) { return r, nil }
func (record) Refusal() error                                                     { return nil }
func (record) Digest() string                                                     { return "again" }
func (record) Mended() bool                                                       { return false }

func (r record) Send(context.Context, operator.Request, time.Time) error {
	*r.sent++
	return nil
}

// links gives people accounts in the wiki.
func (s *site) links(t *testing.T, state ledger.LinkState, people ...string) {
	t.Helper()
	for _, id := range people {
		link := &ledger.Link{AccountID: "account-" + id, Username: id, State: state, CreatedAt: now.AddDate(0, -1, 0), ProvenAt: now.AddDate(0, 0, -2)}
		if state == ledger.LinkDisabled {
			link.DisabledAt, link.StrippedAt = link.ProvenAt, link.ProvenAt
		}
		require.NoError(t, s.ledger.FinishStep(t.Context(), ledger.Outcome{
			PersonID: id, App: "wiki", Key: "wiki/Provision/1", Kind: "Provision", At: now, State: ledger.StepDone, Link: link,
		}))
	}
}

// leave has HR say that people left three days ago, and returns the events.
func (s *site) leave(t *testing.T, people ...string) (events []hr.Event) {
	t.Helper()
	for _, id := range people {
		e := hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "left-" + id}, Type: hr.EventTerminated, PersonID: id,
			Recorded: now.AddDate(0, 0, -3), Effective: hr.DateOf(now.AddDate(0, 0, -3)),
			Termination: &hr.Termination{LastDay: hr.DateOf(now.AddDate(0, 0, -3)), Urgency: hr.UrgencyStandard},
		}
		_, err := s.ledger.Record(t.Context(), []ledger.Received{{At: now.AddDate(0, 0, -3), Event: e}})
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// holdBack has two people leave where one may, so that the breaker holds ada.
func (s *site) holdBack(t *testing.T) {
	s.links(t, ledger.LinkActive, "ada", "bob")
	ended := s.leave(t, "ada", "bob")[0]
	admitted, err := s.ledger.Admit(t.Context(), ledger.AdmissionRequest{
		PersonID: "ada", At: now, Limits: ledger.Limits{Window: 240 * time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Count: 1}}},
		Asks: []ledger.Ask{{
			Kind: ledger.Leavers, Key: ledger.EventWithdrawal(ended.EventKey), Event: ended.EventKey, Voids: true, Apps: []string{"wiki"},
			Why: "access ended", SaidAt: now,
		}},
	})
	require.NoError(t, err)
	require.Len(t, admitted.Opened, 1)
}

// decide releases or cancels what the breaker holds for ada.
func (s *site) decide(ctx context.Context, v operator.Verb, r operator.Request) error {
	cohort, err := s.Cohort(ctx, "c-1")
	if err != nil {
		return err
	}
	_, err = s.DecideCohort(ctx, v, r, cohort, []string{"ada"}, nil, nil)
	return err
}

// adopt adopts ada's account in the wiki.
func (s *site) adopt(ctx context.Context, r operator.Request) error {
	accounts, err := s.Accounts(ctx, "wiki", func() {})
	if err != nil {
		return err
	}
	defer accounts.Close()
	found := accounts.Unlinked([]string{"ada"}, nil)
	if len(found) == 0 {
		return operator.Adopt.Check(r)
	}
	if err := accounts.Adopt(ctx, r, accounts.Adoption(found[0]), operator.AdoptOptions{}); err != nil {
		return err
	}
	return s.TellAdopted(ctx, []string{"ada"})
}

// found has a scan of the wiki find something about an account.
func (s *site) found(t *testing.T, f ledger.Finding, seen ledger.Observed) {
	t.Helper()
	f.State, seen.At = ledger.FindingOpen, now.Add(-time.Minute)
	scan, err := s.ledger.BeginScan(t.Context(), "wiki", "1", now)
	require.NoError(t, err)
	require.NoError(t, s.ledger.Observe(t.Context(), ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{seen}}))
	_, err = s.ledger.EndListing(t.Context(), scan.ID, now, -1)
	require.NoError(t, err)
	_, err = s.ledger.SaveVerdicts(t.Context(), ledger.Compared{
		Scan: scan.ID, At: now, Verdicts: []ledger.Verdict{{AccountID: seen.AccountID, Findings: []ledger.Finding{f}}},
	})
	require.NoError(t, err)
}

// ended has the last assessment find that somebody has left.
func (s *site) ended(t *testing.T, id string) {
	t.Helper()
	person, err := s.ledger.Person(t.Context(), id)
	require.NoError(t, err)
	summary := person.Summary
	summary.Status, summary.AssessedAt = hr.StatusEnded, now.Add(time.Second)
	require.NoError(t, s.ledger.SaveAssessment(t.Context(), ledger.Assessment{Summary: summary}))
}

// deed is one thing that an operator does to ada.
type deed struct {
	verb  operator.Verb
	do    func(ctx context.Context, s *site, r operator.Request) error
	tells bool // her run is told
	// twice is the error of the same request when it is made again; empty: there is none.
	twice string
	// given makes what the deed needs; nil: the site has it.
	given func(t *testing.T, s *site)
}

// newSiteFor returns a site that has what the deed needs.
func newSiteFor(t *testing.T, d deed) *site {
	t.Helper()
	s := newSite(t)
	if d.given != nil {
		d.given(t, s)
		s.runs.told = nil
	}
	return s
}

func letterOf(ctx context.Context, s *site) ledger.DeadLetter {
	letter, err := s.Letter(ctx, 1)
	if err != nil {
		panic(err)
	}
	return letter
}

// cannotBeTold makes a notice that could not be sent.
func (s *site) cannotBeTold(t *testing.T) {
	t.Helper()
	require.NoError(t, s.ledger.Notify(t.Context(), []ledger.Notice{
		{Kind: notice.RequestAsked, About: "r-1", PersonID: "ada", To: "person:bob", MadeAt: now},
	}))
	lease, _, err := s.ledger.TakeLease(t.Context(), ledger.LeaseNotices, "worker", time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.ledger.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: 1, State: ledger.NoticeFailed, Why: "refused", At: now}}))
}

// asksForAuditor has somebody ask for a role for ada.
func asksForAuditor(t *testing.T, s *site) {
	t.Helper()
	_, err := s.AskRole(t.Context(), earlier, operator.RoleRequest{PersonID: "ada", Role: "auditor"}, true)
	require.NoError(t, err)
}

// isReviewed opens a review of what ada has, about which bob is asked.
func isReviewed(t *testing.T, s *site) {
	t.Helper()
	r, err := s.ledger.BeginReview(t.Context(), ledger.Review{
		Name: "yearly", Key: "k", StartedBy: "olga", StartedAt: now, EndsAt: now.Add(7 * 24 * time.Hour), Terms: `{"name":"yearly","days":7}`, LookAt: now,
	})
	require.NoError(t, err)
	_, err = s.ledger.FreezeReview(t.Context(), ledger.FrozenPage{Review: r.ID, Next: "end", At: now, Items: []ledger.FrozenItem{{
		ReviewItem: ledger.ReviewItem{Key: "access:ada:wiki:", Kind: "role", PersonID: "ada", App: "wiki", Role: "everybody", Because: "role everybody", Reviewer: "bob", Authority: "owner of role everybody"},
		Accesses:   []ledger.AccessPlace{{PersonID: "ada", App: "wiki"}},
	}}})
	require.NoError(t, err)
	_, err = s.ledger.OpenReview(t.Context(), ledger.ReviewOpening{Review: r.ID, At: now, Place: "end", LookAt: now})
	require.NoError(t, err)
}
