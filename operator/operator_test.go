package operator_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	path := filepath.Join(t.TempDir(), "tenure.db")
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
	accounts, err := s.Accounts(ctx, "wiki")
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

var deeds = []deed{
	{operator.Suspend, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Suspend(ctx, r, "ada")
		return err
	}, true, "", nil},
	{operator.Retry, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Retry(ctx, r, operator.Attention{PersonID: "ada"})
		return err
	}, true, "nothing of this person needs attention", nil},
	{operator.Skip, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Skip(ctx, r, operator.Attention{PersonID: "ada", App: "wiki"})
		return err
	}, true, "nothing of this person needs attention", nil},
	{operator.PlaceHold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.PlaceHold(ctx, r, "ada", now.Add(24*time.Hour))
		return err
	}, true, "", nil},
	{operator.SetRetention, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.SetRetention(ctx, r, operator.Retention{PersonID: "ada", For: time.Hour}, false)
		return err
	}, true, "", nil},
	{operator.FinishTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.FinishTask(ctx, r, 1, "seen", "")
		return err
	}, true, "", nil},
	{operator.RefuseTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RefuseTask(ctx, r, 1)
		return err
	}, true, "", nil},
	{operator.Discard, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Discard(ctx, r, []ledger.DeadLetter{letterOf(ctx, s)})
		return err
	}, true, "", nil},
	{operator.Redrive, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Redrive(ctx, r, letterOf(ctx, s), record{new(int)}, false)
		return err
	}, false, "", nil},
	{operator.Rename, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Rename(ctx, r, ledger.Rename{PersonID: "ada", Base: "lovelace", At: now})
		return err
	}, true, "", nil},
	{operator.LinkPeople, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.LinkPeople(ctx, r, "bob", "ada")
		return err
	}, true, "", nil},
	{operator.Reinstate, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Reinstate(ctx, r, "ada")
		return err
	}, true, "person ada is not suspended", func(t *testing.T, s *site) {
		_, err := s.Suspend(t.Context(), earlier, "ada")
		require.NoError(t, err)
	}},
	{breakGlass, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.BreakGlass(ctx, r, "ada", time.Minute, func(operator.SecuredApp) {})
		return err
	}, false, "", nil},
	{operator.Release, func(ctx context.Context, s *site, r operator.Request) error {
		return s.decide(ctx, operator.Release, r)
	}, true, "", func(t *testing.T, s *site) { s.holdBack(t) }},
	{operator.Cancel, func(ctx context.Context, s *site, r operator.Request) error {
		return s.decide(ctx, operator.Cancel, r)
	}, true, "", func(t *testing.T, s *site) { s.holdBack(t) }},
	{operator.ReleaseHold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ReleaseHolds(ctx, r, "h-1", false)
		return err
	}, true, "", func(t *testing.T, s *site) {
		_, err := s.PlaceHold(t.Context(), earlier, "ada", now.Add(24*time.Hour))
		require.NoError(t, err)
	}},
	{operator.ResetRetention, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ResetRetention(ctx, r, "ada", "", false)
		return err
	}, true, "no such retention is set", func(t *testing.T, s *site) {
		_, err := s.SetRetention(t.Context(), earlier, operator.Retention{PersonID: "ada", For: time.Hour}, false)
		require.NoError(t, err)
	}},
	{operator.ApproveDeletion, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ApproveDeletions(ctx, r, "ada", "wiki")
		return err
	}, true, "no deletion of ada needs an approval", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkDisabled, "ada")
		s.leave(t, "ada")
	}},
	{operator.Adopt, func(ctx context.Context, s *site, r operator.Request) error { return s.adopt(ctx, r) }, true, "", func(_ *testing.T, s *site) {
		s.wiki.Put(connector.Account{Username: "ada", ExternalID: "ada", Active: true})
	}},
	{operator.Unlink, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Unlink(ctx, r, "wiki", "ada")
		return err
	}, true, "the ledger knows no account of ada in wiki", func(t *testing.T, s *site) { s.links(t, ledger.LinkActive, "ada") }},
	{operator.RestoreAccount, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RestoreAccount(ctx, r, "ada", "wiki")
		return err
	}, true, "was not deleted: it is disabled", func(t *testing.T, s *site) { s.bin(t, "ada") }},
	{operator.GrantRole, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.GrantRole(ctx, r, operator.RoleGrant{PersonID: "ada", Role: "admin", For: time.Hour}, true)
		return err
	}, true, "", nil},
	{operator.Withhold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Withhold(ctx, r, operator.Withholding{PersonID: "ada", App: "wiki"}, true)
		return err
	}, true, "", nil},
	{operator.WaiveDuty, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.WaiveDuty(ctx, r, operator.DutyWaiver{PersonID: "ada", Duty: "apart", Until: now.Add(time.Hour), Control: "watched"}, true)
		return err
	}, true, "", nil},
	{operator.EndException, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndException(ctx, r, "x-1", true)
		return err
	}, true, "x-1 has ended before: ticket 42", func(t *testing.T, s *site) {
		_, err := s.Withhold(t.Context(), earlier, operator.Withholding{PersonID: "ada", App: "wiki"}, true)
		require.NoError(t, err)
	}},
	{operator.AskRole, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AskRole(ctx, r, operator.RoleRequest{PersonID: "ada", Role: "auditor"}, true)
		return err
	}, true, "r-1 asks for that already", nil},
	{operator.AskWaiver, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AskWaiver(ctx, r, operator.WaiverRequest{PersonID: "ada", Duty: "apart", For: time.Hour, Control: "watched"}, true)
		return err
	}, true, "r-1 asks for that already", nil},
	{operator.DecideRequest, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.DecideRequest(ctx, r, operator.RequestDecision{Request: "r-1", As: "bob", Vote: ledger.VoteApprove}, true)
		return err
	}, true, "r-1 is approved: nobody has to say anything about it", asksForAuditor},
	{operator.CancelRequest, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.CancelRequest(ctx, r, "r-1")
		return err
	}, true, "r-1 is cancelled, and cannot be taken back", asksForAuditor},
	{operator.StartReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.StartReview(ctx, r, "yearly", "ada", true)
		return err
	}, true, "v-1 is such a review, and is freezing", nil},
	{operator.DecideItem, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.DecideItems(ctx, r, operator.ReviewDecision{Review: "v-1", Items: []int64{1}, As: "bob", Verdict: ledger.VerdictRevoke}, true)
		return err
	}, true, "", isReviewed},
	{operator.MoveItems, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.MoveItems(ctx, r, "v-1", []int64{1}, "bob", true)
		return err
	}, false, "", isReviewed},
	{operator.CloseReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.CloseReview(ctx, r, "v-1", true)
		return err
	}, true, "v-1 is closing", isReviewed},
	{operator.ExtendReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ExtendReview(ctx, r, "v-1", now.AddDate(1, 0, 0), true)
		return err
	}, true, "", isReviewed},
	{operator.SetStandIn, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.SetStandIn(ctx, r, operator.StandInOrder{PersonID: "bob", StandIn: "ada", Until: now.Add(time.Hour)})
		return err
	}, true, "", asksForAuditor},
	{operator.EndStandIn, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndStandIn(ctx, r, "s-1")
		return err
	}, true, "s-1 is over already", func(t *testing.T, s *site) {
		asksForAuditor(t, s)
		_, err := s.SetStandIn(t.Context(), earlier, operator.StandInOrder{PersonID: "bob", StandIn: "ada", Until: now.Add(time.Hour)})
		require.NoError(t, err)
	}},
	{operator.RepairFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RepairFinding(ctx, r, "f-1")
		return err
	}, true, "f-1 is being repaired", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkDisabled, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingState, PersonID: "ada"}, ledger.Observed{AccountID: "account-ada", Active: true})
	}},
	{operator.EndFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndFinding(ctx, r, "f-1", "ada")
		return err
	}, true, "f-1 is being repaired", func(t *testing.T, s *site) {
		s.ended(t, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingOrphan}, ledger.Observed{AccountID: "9", Active: true})
	}},
	{operator.AcceptFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AcceptFinding(ctx, r, "f-1", now.Add(time.Hour))
		return err
	}, true, "", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkActive, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingStray, What: "admins", PersonID: "ada"}, ledger.Observed{AccountID: "account-ada", Active: true, Entitlements: []string{"admins"}})
	}},
	{operator.BelieveScan, func(ctx context.Context, s *site, r operator.Request) error { return s.BelieveScan(ctx, r, "wiki") }, false, "", func(t *testing.T, s *site) {
		scan, err := s.ledger.BeginScan(t.Context(), "wiki", "1", now)
		require.NoError(t, err)
		require.NoError(t, s.ledger.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanSuspicious}))
	}},
	{operator.RetryNotice, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RetryNotices(ctx, r, []string{"n-1"}, true)
		return err
	}, false, "n-1 has not failed: it is waiting", func(t *testing.T, s *site) { s.cannotBeTold(t) }},
	{operator.UnlinkPeople, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.UnlinkPeople(ctx, r, "bob", "ada")
		return err
	}, true, "person ada is not linked to bob", func(t *testing.T, s *site) {
		_, err := s.LinkPeople(t.Context(), earlier, "bob", "ada")
		require.NoError(t, err)
	}},
	{operator.Export, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Export(ctx, r, io.Discard, nil)
		return err
	}, false, "", nil},
	{operator.RestartLog, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RestartLog(ctx, r, "example.com/tenure", nil)
		return err
	}, false, "", nil},
}

// breakGlass is a suspension without Temporal.
const breakGlass operator.Verb = "break glass"

// earlier is the request of everything that has to be there before a deed.
var earlier = operator.Request{Actor: "adam", Reason: "ticket 1"}

// needNoReason lists the verbs that need no reason.
var needNoReason = []operator.Verb{operator.Retry, operator.FinishTask, operator.Adopt, operator.Export, operator.Import}

var asks = operator.Request{Actor: "eve", Reason: "ticket 42"}

func TestEveryDeedIsOnTheRecordAndTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			before := len(s.audit(t))
			require.NoError(t, d.do(t.Context(), s, asks))
			rows := s.audit(t)[before:]
			require.NotEmpty(t, rows)
			for _, row := range rows {
				if row.Actor != ledger.ActorTenure {
					assert.Equal(t, "eve", row.Actor)
				}
			}
			if !slices.Contains(needNoReason, d.verb) {
				assert.True(t, slices.ContainsFunc(rows, func(row ledger.AuditRow) bool { return row.Actor == "eve" && s.why(t, row) == asks.Reason }), "%v", rows)
			}
			assert.Equal(t, d.tells, len(s.runs.told) > 0)

			err := d.do(t.Context(), s, asks)
			if d.twice == "" {
				assert.NoError(t, err, "a second time")
			} else {
				assert.ErrorContains(t, err, d.twice)
			}
		})
	}
}

// why returns the reason that is on the record with an audit row. The reason for refusing
// a task is with the task.
func (s *site) why(t *testing.T, row ledger.AuditRow) string {
	t.Helper()
	if row.Detail["task"] == nil {
		return row.Cause
	}
	task, err := s.Task(t.Context(), 1)
	require.NoError(t, err)
	return task.Why
}

func TestNobodyAsksWithoutANameAndAReason(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			before := s.audit(t)
			for _, wrong := range []struct {
				request operator.Request
				want    error
			}{
				{operator.Request{Reason: "x"}, operator.ErrNoActor},
				{operator.Request{Actor: " \t", Reason: "x"}, operator.ErrNoActor},
				{operator.Request{Actor: " Tenure ", Reason: "x"}, operator.ErrTenure},
			} {
				assert.ErrorIs(t, d.do(t.Context(), s, wrong.request), wrong.want)
			}
			if !slices.Contains(needNoReason, d.verb) {
				assert.ErrorIs(t, d.do(t.Context(), s, operator.Request{Actor: "eve", Reason: " "}), operator.ErrNoReason)
			}
			assert.Equal(t, before, s.audit(t))
			assert.Empty(t, s.runs.told)
		})
	}
}

// If no run can be told, a decision stands all the same: the sweeper tells the runs. Only
// a repair is not decided then.
func TestADeedStandsThoughNoRunCanBeTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			s.runs.down = errors.New("no answer from Temporal")
			before := len(s.audit(t))
			err := d.do(t.Context(), s, asks)
			if d.verb == operator.Retry || d.verb == operator.Skip {
				assert.ErrorIs(t, err, s.runs.down)
				assert.Len(t, s.audit(t), before)
				return
			}
			untold, other := operator.Untold(err)
			assert.NoError(t, other)
			assert.Equal(t, d.tells, untold != nil)
			assert.Greater(t, len(s.audit(t)), before)
		})
	}
}

// The ledger writes a decision and its audit row together. If the row cannot be written,
// nothing has changed and nobody is told.
func TestADeedThatCannotGoOnTheRecordIsNotDone(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			refuseRecord(t, s.path)
			before, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			assert.ErrorContains(t, d.do(t.Context(), s, asks), "the record is full")
			after, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			after.Steps = slices.DeleteFunc(after.Steps, func(s ledger.Step) bool { // intents are written ahead
				return s.Kind == "Adopt" || s.Kind == "Unlink" || s.Kind == "Restore"
			})
			assert.Equal(t, before, after)
			assert.Empty(t, s.runs.told)
		})
	}
}

// The record says who asked for an import. If that cannot be written, nothing is
// imported.
func TestAnImportIsOnTheRecord(t *testing.T) {
	var text bytes.Buffer
	_, err := newSite(t).Export(t.Context(), asks, &text, nil)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "empty.db")
	l, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer l.Close()
	o := operator.New(l, &runs{}, operator.Viewer{Clock: clock.Func(func() time.Time { return now })})
	everybody := func() []ledger.Summary {
		all, err := ledger.Collect(ledger.AllPeople(t.Context(), l, ""))
		require.NoError(t, err)
		return all
	}

	_, err = o.Import(t.Context(), operator.Request{}, bytes.NewReader(text.Bytes()), nil)
	assert.ErrorIs(t, err, operator.ErrNoActor)
	allowRecord := refuseRecord(t, path)
	_, err = o.Import(t.Context(), asks, bytes.NewReader(text.Bytes()), nil)
	assert.ErrorContains(t, err, "the record is full")
	assert.Empty(t, everybody())

	allowRecord()
	_, err = o.Import(t.Context(), asks, bytes.NewReader(text.Bytes()), nil)
	require.NoError(t, err)
	assert.Len(t, everybody(), 2)
	rows, err := l.Audit(t.Context(), "", 0, 100)
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(rows, func(row ledger.AuditRow) bool { return strings.HasSuffix(row.Action, "imported") && row.Actor == "eve" }), "%v", rows)
}

// refuseRecord makes the ledger at a path refuse audit rows until allow is called.
func refuseRecord(t *testing.T, path string) (allow func()) {
	t.Helper()
	do := func(statement string) {
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	do("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the record is full'); END")
	return func() { do("DROP TRIGGER no_audit") }
}

// These tests try every verb.
func TestEveryVerbHasADeed(t *testing.T) {
	tried := map[operator.Verb]bool{operator.Import: true} // see TestAnImportIsOnTheRecord
	for _, d := range deeds {
		tried[d.verb] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "operator.go", nil, 0)
	require.NoError(t, err)
	verbs := 0
	for _, decl := range file.Decls {
		if group, ok := decl.(*ast.GenDecl); ok && group.Tok == token.CONST {
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				if kind, ok := value.Type.(*ast.Ident); ok && kind.Name == "Verb" {
					verb, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
					require.NoError(t, err)
					assert.True(t, tried[operator.Verb(verb)], "no deed has the verb %s", value.Names[0].Name)
					verbs++
				}
			}
		}
	}
	assert.Greater(t, verbs, 20)
}

// A grant is made for one employment, and does not begin in a later one.
func TestAGrantBeginsInTheEmploymentForWhichItIsMade(t *testing.T) {
	s := newSite(t)
	s.leave(t, "ada")
	later := now.AddDate(0, 2, 0)
	_, err := s.ledger.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "rehired-ada"}, Type: hr.EventRehired, PersonID: "ada", Recorded: now, Effective: hr.DateOf(later),
		Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "A", FamilyName: "ada", StartDate: hr.DateOf(later), Location: hr.Location{TimeZone: "UTC"}},
	}}})
	require.NoError(t, err)
	grant := func(from time.Time) error {
		_, err := s.GrantRole(t.Context(), asks, operator.RoleGrant{PersonID: "ada", Role: "admin", From: from, For: time.Hour}, false)
		return err
	}
	require.NoError(t, grant(later.AddDate(0, 0, 2)), "she is not employed now, so it is for the next employment")
	_, err = s.ledger.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "left-bob"}, Type: hr.EventTerminated, PersonID: "bob", Recorded: now, Effective: hr.DateOf(now.AddDate(0, 0, 5)),
		Termination: &hr.Termination{LastDay: hr.DateOf(now.AddDate(0, 0, 5))},
	}}})
	require.NoError(t, err)
	_, err = s.GrantRole(t.Context(), asks, operator.RoleGrant{PersonID: "bob", Role: "admin", From: later, For: time.Hour}, false)
	require.ErrorContains(t, err, "when the employment for which it is made is over")
}
