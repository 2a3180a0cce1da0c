package evidence_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/operator/evidence"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

const (
	origin = "example.com/tenure"
	day    = 24 * time.Hour
)

// first is the first day of the quarter that packs are about.
var first = time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)

// town is a company with two apps, mail and wiki, whose HR the test is. Its clock stands still
// until it is set.
type town struct {
	t        testing.TB
	now      time.Time
	engine   *provision.Engine
	ledger   *sqlite.Store
	apps     map[string]*memory.App
	down     map[string]bool // apps that do not answer
	signer   note.Signer
	verifies string
	path     string // of the ledger
	offset   int64
}

func newTown(t testing.TB) *town {
	t.Helper()
	path := sqlitetest.New(t)
	store, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"mail": {}, "wiki": {}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"staff"}}}},
			{Name: "engineers", When: `person.department == "Engineering"`, Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"editors"}}}},
			{Name: "admin", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}}, Request: &policy.RequestRules{Most: 30 * day}},
		},
		Leaver:   policy.LeaverRules{Retain: 10 * day, Delete: true},
		Fallback: []string{"boss"},
		Duties: []policy.Duty{{
			Name: "write-and-judge", Mode: policy.DutyDetect, Owner: []string{"boss"}, Waive: &policy.WaiveRules{Most: 90 * day},
			One: []policy.Grant{{App: "wiki", Entitlements: []string{"editors"}}}, Other: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}},
		}},
	})
	require.NoError(t, err)
	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	w := &town{t: t, now: first, ledger: store, path: path, apps: map[string]*memory.App{}, down: map[string]bool{}, signer: signer, verifies: verifies}
	open := map[string]*provision.App{}
	for _, app := range []string{"mail", "wiki"} {
		name := t.Name() + "/" + app
		w.apps[app] = memory.Shared(name)
		w.apps[app].Reset()
		w.apps[app].OnCall(func(_ context.Context, op, _ string) error {
			if w.down[app] {
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "down"}
			}
			return nil
		})
		c, err := memory.Kind.Open(t.Context(), connector.Env{App: name}, nil)
		require.NoError(t, err)
		open[app] = &provision.App{Connector: c}
	}
	w.engine = &provision.Engine{
		Ledger: store, Policy: rules, Apps: open, Log: zap.NewNop(), Clock: clock.Func(func() time.Time { return w.now }), AttentionAfter: 30 * day, Recheck: time.Hour,
	}
	return w
}

// says records what HR says now, of a day. A profile without a department ends the employment.
func (w *town) says(person, department string, effective time.Time) {
	w.t.Helper()
	w.offset++
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprintf("e-%d", w.offset)}, Type: hr.EventTransferred, PersonID: person,
		Recorded: w.now, Effective: hr.DateOf(effective),
	}
	if department == "" {
		e.Type, e.Effective = hr.EventTerminated, e.Effective.AddDays(-1)
		e.Termination = &hr.Termination{LastDay: e.Effective}
	} else {
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: `<b>"of & town'`, Department: department,
			StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"},
		}
		if person != "boss" {
			e.Profile.ManagerID = "boss"
		}
		if known, err := w.ledger.Events(w.t.Context(), ledger.EventFilter{PersonID: person}, 0, 1); err != nil || len(known) == 0 {
			e.Type = hr.EventHired
		}
	}
	_, err := w.ledger.Record(w.t.Context(), []ledger.Received{{Event: e, At: w.now, Topic: "hr.events", Partition: int(w.offset % 2), Offset: w.offset / 2}})
	require.NoError(w.t, err)
}

// rehires records that HR says now that somebody is employed again, from a day on.
func (w *town) rehires(person, department string, effective time.Time) {
	w.t.Helper()
	w.offset++
	_, err := w.ledger.Record(w.t.Context(), []ledger.Received{{At: w.now, Topic: "hr.events", Partition: int(w.offset % 2), Offset: w.offset / 2, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprintf("e-%d", w.offset)}, Type: hr.EventRehired, PersonID: person, Recorded: w.now, Effective: hr.DateOf(effective),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: "again", Department: department, ManagerID: "boss",
			StartDate: hr.DateOf(effective), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(w.t, err)
}

// work does what is due now.
func (w *town) work() {
	due, err := w.ledger.Due(w.t.Context(), w.now, 10_000)
	require.NoError(w.t, err)
	for _, p := range due {
		w.workOn(p.PersonID)
	}
}

func (w *town) workOn(person string) {
	for range 5 {
		assessment, err := w.engine.Assess(w.t.Context(), person)
		require.NoError(w.t, err)
		done := 0
		for _, todo := range assessment.Todo {
			if slices.ContainsFunc(assessment.Todo, func(t provision.Todo) bool { return slices.Contains(todo.Needs, t.Key) }) {
				continue
			}
			result, _, err := w.engine.Apply(w.t.Context(), provision.Attempt{PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key})
			if err == nil && result == provision.ResultDone {
				done++
			}
		}
		if done == 0 {
			return
		}
	}
}

// goesOn lets time pass, and does every hour what is due.
func (w *town) goesOn(until time.Time, every time.Duration) {
	for ; w.now.Before(until); w.now = w.now.Add(every) {
		w.work()
	}
	w.now = until
	w.work()
}

// sequences puts the record into its log, and signs a checkpoint.
func (w *town) sequences() {
	w.t.Helper()
	q := &sequencer.Sequencer{
		Ledger: w.ledger, Origin: origin, Signer: w.signer, Every: time.Hour, Clock: clock.Func(func() time.Time { return w.now }), Log: zap.NewNop(),
	}
	require.NoError(w.t, q.Step(w.t.Context()))
	leases, err := w.ledger.Leases(w.t.Context())
	require.NoError(w.t, err)
	for _, l := range leases {
		require.NoError(w.t, w.ledger.DropLease(w.t.Context(), l))
	}
}

// maker returns what makes packs of the town.
func (w *town) maker() evidence.Maker {
	return evidence.Maker{
		Ledger: w.ledger, Policy: w.engine.Policy, Now: w.now, By: "auditor", Log: origin, Within: day, Zone: time.UTC, Apps: []string{"mail", "wiki"}, Fresh: 2 * day,
		Signers: []note.Signer{w.signer}, Version: "v0", Configuration: "0123",
	}
}

// packs makes a pack, and returns where.
func (w *town) packs(scope evidence.Scope) (string, evidence.Made) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "pack")
	made, err := w.maker().Make(w.t.Context(), scope, onDisk(path))
	require.NoError(w.t, err)
	return path, made
}

// quarter is everybody in the first quarter.
func quarter() evidence.Scope { return evidence.Scope{From: first, Until: first.AddDate(0, 3, 0)} }

// onDisk is a folder on disk.
type onDisk string

func (f onDisk) Create(name string) (io.WriteCloser, error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(string(f), name))
}

func (f onDisk) Open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), name))
}
