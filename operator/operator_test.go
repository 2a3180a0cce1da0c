package operator_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// runs notes who was told.
type runs struct {
	told []string
	down error
}

func (r *runs) Ready(context.Context) error { return r.down }

func (r *runs) Resume(_ context.Context, personID, _ string) error {
	if r.down == nil {
		r.told = append(r.told, personID)
	}
	return r.down
}

func (r *runs) Deliver(ctx context.Context, e hr.Event, _ int64) error {
	return r.Resume(ctx, e.PersonID, "")
}

// noApps is a configuration without apps.
type noApps struct{ rules assess.Rules }

func (noApps) Find(app string) error                            { return errors.New("there is no app " + app) }
func (a noApps) Rules(context.Context) (assess.Rules, error)    { return a.rules, nil }
func (noApps) Traits(context.Context, string) (plan.App, error) { return plan.App{}, nil }
func (noApps) Open(_ context.Context, app string) (connector.Connector, error) {
	return nil, errors.New("there is no app " + app)
}

func (a noApps) OpenPaced(ctx context.Context, app string) (connector.Connector, error) {
	return a.Open(ctx, app)
}

// site is an operator on a ledger in which ada is employed, has an account that was
// turned off, and needs attention, and bob is her earlier ID.
type site struct {
	*operator.Operator
	runs *runs
	path string
}

func newSite(t *testing.T) *site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenure.db")
	l, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	rules, err := policy.Compile(policy.Rules{})
	require.NoError(t, err)
	r := &runs{}
	s := &site{runs: r, path: path, Operator: operator.New(l, r, operator.Viewer{
		Policy: rules, Clock: clock.Func(func() time.Time { return now }),
		Apps: noApps{assess.Rules{Policy: rules, Apps: map[string]plan.App{}}},
	})}
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
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{ // it waits for the task
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

// record is a record that can be sent.
type record struct{ sent *int }

func (r record) Open(context.Context, ledger.DeadLetter) (operator.Record, error) { return r, nil }
func (record) Refusal() error                                                     { return nil }
func (record) Digest() string                                                     { return "again" }
func (record) Mended() bool                                                       { return false }

func (r record) Send(context.Context, operator.Request, time.Time) error {
	*r.sent++
	return nil
}

// deed is one thing that an operator does to ada.
type deed struct {
	verb  operator.Verb
	do    func(ctx context.Context, s *site, r operator.Request) error
	tells bool // her run is told
	// twice is what the same request says the second time; empty: nothing is wrong.
	twice string
}

func letterOf(ctx context.Context, s *site) ledger.DeadLetter {
	letter, err := s.Letter(ctx, 1)
	if err != nil {
		panic(err)
	}
	return letter
}

var deeds = []deed{
	{operator.Suspend, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Suspend(ctx, r, "ada")
		return err
	}, true, ""},
	{operator.Retry, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Retry(ctx, r, operator.Attention{PersonID: "ada"})
		return err
	}, true, "nothing of this person needs attention"},
	{operator.Skip, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Skip(ctx, r, operator.Attention{PersonID: "ada", App: "wiki"})
		return err
	}, true, "nothing of this person needs attention"},
	{operator.PlaceHold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.PlaceHold(ctx, r, "ada", now.Add(24*time.Hour))
		return err
	}, true, ""},
	{operator.SetRetention, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.SetRetention(ctx, r, operator.Retention{PersonID: "ada", For: time.Hour}, false)
		return err
	}, true, ""},
	{operator.FinishTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.FinishTask(ctx, r, 1, "seen", "")
		return err
	}, true, ""},
	{operator.RefuseTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RefuseTask(ctx, r, 1)
		return err
	}, true, ""},
	{operator.Discard, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Discard(ctx, r, []ledger.DeadLetter{letterOf(ctx, s)})
		return err
	}, true, ""},
	{operator.Redrive, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Redrive(ctx, r, letterOf(ctx, s), record{new(int)}, false)
		return err
	}, false, ""},
	{operator.Rename, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Rename(ctx, r, ledger.Rename{PersonID: "ada", Base: "lovelace", At: now})
		return err
	}, true, ""},
	{operator.LinkPeople, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.LinkPeople(ctx, r, "bob", "ada")
		return err
	}, true, ""},
}

var asks = operator.Request{Actor: "eve", Reason: "ticket 42"}

func TestEveryDeedIsOnTheRecordAndTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSite(t)
			before := len(s.audit(t))
			require.NoError(t, d.do(t.Context(), s, asks))
			rows := s.audit(t)[before:]
			require.NotEmpty(t, rows)
			assert.Equal(t, "eve", rows[0].Actor)
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

func TestNobodyAsksWithoutANameAndAReason(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSite(t)
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
			if d.verb != operator.Retry && d.verb != operator.FinishTask {
				assert.ErrorIs(t, d.do(t.Context(), s, operator.Request{Actor: "eve", Reason: " "}), operator.ErrNoReason)
			}
			assert.Equal(t, before, s.audit(t))
			assert.Empty(t, s.runs.told)
		})
	}
}

// That no run can be told undoes nothing: the sweeper tells them. Only what is repaired
// is not decided then.
func TestADeedStandsThoughNoRunCanBeTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSite(t)
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

// The ledger writes a decision and its audit row together: where the row cannot be
// written, nothing has changed and nobody is told.
func TestADeedThatCannotGoOnTheRecordIsNotDone(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSite(t)
			db, err := sql.Open("sqlite", s.path)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.ExecContext(t.Context(), "CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the record is full'); END")
			require.NoError(t, err)
			before, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			assert.ErrorContains(t, d.do(t.Context(), s, asks), "the record is full")
			after, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			assert.Equal(t, before, after)
			assert.Empty(t, s.runs.told)
		})
	}
}
