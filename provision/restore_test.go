package provision_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

const day = 24 * time.Hour

// bin is an app with a recycle bin in front of one of package memory: what is deleted is
// hidden, and its username stays taken.
type bin struct {
	connector.Connector
	keeps   time.Duration
	manual  bool // only administrators bring accounts back
	lost    bool // the next answer to a restore is lost
	binned  map[string]bool
	emptied map[string]bool
}

func gone(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "there is no such account"}
}

func (b *bin) Capabilities() connector.Capabilities {
	can := b.Connector.Capabilities()
	can.RecycleBin, can.Restore, can.HandOver = b.keeps, !b.manual, false
	return can
}

func (b *bin) Read(ctx context.Context, id string) (connector.Account, error) {
	if b.binned[id] || b.emptied[id] {
		return connector.Account{}, gone(connector.OpRead)
	}
	return b.Connector.Read(ctx, id)
}

func (b *bin) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	found, err := b.Connector.Find(ctx, keys)
	return slices.DeleteFunc(found, func(m connector.Match) bool { return b.binned[m.Account.ID] || b.emptied[m.Account.ID] }), err
}

func (b *bin) Delete(_ context.Context, id string) error {
	b.binned[id] = true
	return nil
}

func (b *bin) Restore(_ context.Context, id string) error {
	if b.emptied[id] {
		return gone(connector.OpRestore)
	}
	delete(b.binned, id)
	if b.lost {
		b.lost = false
		return &connector.Error{Kind: connector.KindUnavailable, Op: connector.OpRestore, Message: "no answer"}
	}
	return nil
}

// office is an engine with one app, the mail, whose clock stands still until it is set.
type office struct {
	t      *testing.T
	engine *provision.Engine
	now    time.Time
	memory *memory.App
	mail   *bin
	events int
}

func newOffice(t *testing.T) *office { return newOfficeThatGives(t, "staff") }

// newOfficeThatGives returns an office in which everybody gets these entitlements. Of the
// licence office there is one seat.
func newOfficeThatGives(t *testing.T, entitlements ...string) *office {
	t.Helper()
	return newOfficeBy(t, policy.JoinerRules{}, entitlements)
}

// newOfficeThatPrepares returns an office that makes accounts before the first day.
func newOfficeThatPrepares(t *testing.T, lead time.Duration) *office {
	t.Helper()
	return newOfficeBy(t, policy.JoinerRules{LeadTime: lead}, []string{"staff"})
}

func newOfficeBy(t *testing.T, joiner policy.JoinerRules, entitlements []string) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"mail": {Attributes: map[string]string{"title": "person.jobTitle"}}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: entitlements}}},
		},
		Joiner: joiner,
		Leaver: policy.LeaverRules{Retain: 10 * day, Delete: true},
	})
	require.NoError(t, err)
	o := &office{t: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), memory: memory.Shared(t.Name())}
	o.memory.Reset()
	open, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, connector.Settings{"licences": []any{"office=1"}})
	require.NoError(t, err)
	o.mail = &bin{Connector: open, keeps: 30 * day, binned: map[string]bool{}, emptied: map[string]bool{}}
	o.engine = &provision.Engine{
		Ledger: store, Policy: rules, Apps: map[string]*provision.App{"mail": {Connector: o.mail}}, Log: zap.NewNop(),
		Clock: clock.Func(func() time.Time { return o.now }), AttentionAfter: time.Hour, Recheck: time.Hour,
	}
	return o
}

// hear records that HR says something about Ada, as of today.
func (o *office) hear(kind hr.EventType) {
	o.events++
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprint(o.events)}, Type: kind, PersonID: "ada", Recorded: o.now, Effective: hr.DateOf(o.now),
	}
	if kind == hr.EventTerminated {
		e.Effective = hr.DateOf(o.now).AddDays(-1)
		e.Termination = &hr.Termination{LastDay: e.Effective}
	} else {
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", JobTitle: fmt.Sprint("Title ", o.events),
			StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"},
		}
	}
	_, err := o.engine.Ledger.Record(o.t.Context(), []ledger.Received{{Event: e, At: o.now}})
	require.NoError(o.t, err)
}

// settle does what is due until nothing is, and returns the error of the first step that
// failed.
func (o *office) settle() error { return settle(o, "ada") }

// leaveAndDelete has Ada hired and terminated, and her account deleted, and returns its ID.
func (o *office) leaveAndDelete() string {
	o.hear(hr.EventHired)
	require.NoError(o.t, o.settle())
	account := o.link().AccountID
	require.NotEmpty(o.t, account)
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventTerminated)
	require.NoError(o.t, o.settle())
	o.now = o.now.Add(11 * day)
	require.NoError(o.t, o.settle())
	require.Equal(o.t, ledger.LinkDeleted, o.link().State)
	require.True(o.t, o.mail.binned[account])
	return account
}

func (o *office) link() ledger.Link { return linkOf(o, "ada") }

func (o *office) account(id string) connector.Account {
	account, ok := o.memory.Account(id)
	require.True(o.t, ok)
	return account
}

// did lists the actions on the record, the last ones.
func (o *office) did(last int) (actions []string) {
	rows, err := o.engine.Ledger.Audit(o.t.Context(), "ada", 0, 100)
	require.NoError(o.t, err)
	for _, row := range rows {
		actions = append(actions, row.Action)
	}
	return actions[max(0, len(actions)-last):]
}

func TestWhoIsRehiredGetsTheOldAccountBack(t *testing.T) {
	o := newOffice(t)
	id := o.leaveAndDelete()
	assert.Equal(t, ledger.Binned{AccountID: id, At: o.now}, o.link().Binned)

	// While it was in the bin, somebody has given it a right that policy does not give.
	require.NoError(t, o.mail.Grant(t.Context(), id, []string{"admins"}))
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventRehired)
	require.NoError(t, o.settle())

	assert.Equal(t, id, o.link().AccountID)
	assert.Equal(t, ledger.LinkActive, o.link().State)
	assert.Zero(t, o.link().Binned)
	account := o.account(id)
	assert.True(t, account.Active)
	assert.Equal(t, []string{"staff"}, account.Entitlements, "and nothing else")
	assert.Equal(t, "Title 3", account.Attributes["title"])
	assert.Len(t, o.memory.Accounts(), 1, "no twin")
	assert.Equal(t, []string{"deleted", "restored"}, o.did(2))
}

func TestAnAccountThatIsGoneFromTheBinIsMadeAnew(t *testing.T) {
	for name, empty := range map[string]func(*office, string){
		"by time": func(o *office, _ string) { o.now = o.now.Add(31 * day) },
		"by hand": func(o *office, id string) { o.mail.emptied[id] = true },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			id := o.leaveAndDelete()
			empty(o, id)
			require.NoError(t, o.mail.Connector.Delete(t.Context(), id)) // the username is free again
			o.hear(hr.EventRehired)
			require.NoError(t, o.settle())
			assert.NotEqual(t, id, o.link().AccountID)
			assert.Equal(t, ledger.LinkActive, o.link().State)
			assert.Zero(t, o.link().Binned)
			assert.Equal(t, []string{"created"}, o.did(1))
		})
	}
}

// A worker that dies, or whose call gets no answer, leaves an account that is there again
// and that the link does not name yet.
func TestALostAnswerToARestoreMakesNoTwinAndLeavesNobodyWithAccess(t *testing.T) {
	o := newOffice(t)
	id := o.leaveAndDelete()
	o.hear(hr.EventRehired)
	o.mail.lost = true
	require.ErrorContains(t, o.settle(), "no answer")
	require.NoError(t, o.mail.Relabel(t.Context(), id, connector.Label{Username: "somebody.else"}))
	o.now = o.now.Add(3 * day)

	t.Run("who has left again is cut off", func(t *testing.T) {
		o.hear(hr.EventTerminated)
		require.NoError(t, o.mail.Enable(t.Context(), id))
		require.NoError(t, o.settle())
		assert.Equal(t, id, o.link().AccountID)
		assert.Equal(t, ledger.LinkDisabled, o.link().State)
		assert.False(t, o.account(id).Active)
	})
	t.Run("who comes back has the account", func(t *testing.T) {
		o.now = o.now.Add(2 * day)
		o.hear(hr.EventRehired)
		require.NoError(t, o.settle())
		assert.Equal(t, id, o.link().AccountID)
		assert.Len(t, o.memory.Accounts(), 1)
	})
}

func TestABinnedAccountWhoseUsernameIsTakenIsAskedAbout(t *testing.T) {
	o := newOffice(t)
	o.leaveAndDelete()
	o.mail.manual = true // nobody but an administrator can bring it back, and it keeps its username
	o.engine.Apps["mail"] = &provision.App{Connector: o.mail}
	o.hear(hr.EventRehired)
	err := o.settle()
	require.ErrorContains(t, err, "recycle bin")
	assert.Equal(t, string(connector.KindConflict), provision.ErrorOf(err).Code)
	assert.True(t, provision.ErrorOf(err).Final)

	clear(o.mail.binned) // the administrator does
	require.NoError(t, o.settle())
	assert.Equal(t, []string{"restored"}, o.did(1))
	assert.Len(t, o.memory.Accounts(), 1)
}

func TestThePlanSaysThatAnAccountIsBroughtBack(t *testing.T) {
	o := newOffice(t)
	o.leaveAndDelete()
	o.hear(hr.EventRehired)
	assessment, err := o.engine.Assess(t.Context(), "ada")
	require.NoError(t, err)
	require.Len(t, assessment.Todo, 1)
	assert.Equal(t, plan.Provision, assessment.Todo[0].Kind)
	assert.True(t, assessment.Todo[0].Restore)
}
