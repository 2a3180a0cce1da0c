package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// clerical is an app that hands nothing over by itself.
type clerical struct{ connector.Connector }

func (c clerical) Capabilities() connector.Capabilities {
	can := c.Connector.Capabilities()
	can.HandOver = false
	return can
}

// A hand-over that only a human can do is a task of the leaver's run. It is reminded of and never
// forgotten: months later the account is still there, and is deleted once the task is done.
func TestAHandOverByHandIsNeverForgotten(t *testing.T) {
	rules := testRules()
	rules.Apps["chat"] = policy.AppRules{
		After:  []string{"directory"},
		Leaver: &policy.LeaverRules{Retain: 30 * day, Delete: true, HandOverBy: "archive"},
	}
	b := newBiography(t, rules).unhurried()
	chat := b.acts.Apps["chat"]
	b.acts.Apps["chat"] = &provision.App{Connector: clerical{chat.Connector}}
	b.hears(0, hired("Sales"))
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(10*day))))
	b.on(120*day, func() {
		person, err := b.ledger.Person(t.Context(), b.person)
		require.NoError(t, err)
		require.Len(t, person.Tasks, 1)
		task := person.Tasks[0]
		assert.Equal(t, []string{"chat", "HandOver", "archive", manager}, []string{task.App, task.Kind, task.Assignee, task.Work.ToPerson})
		assert.Greater(t, task.Reminders, 10)
		assert.Equal(t, map[string]string{"chat": provision.CodeOverdue}, b.inAttention())
		assert.Equal(t, 2, b.rows(ledger.AuditHandOverBegun), "said once of each app, however often it is tried")
		assert.Equal(t, ledger.LinkDisabled, b.link("chat").State)
		assert.Zero(t, b.apps["chat"].Calls(connector.OpDelete))
	})
	b.does(121*day, ledger.VerbTaskDone, 1)
	b.live(130 * day)
	assert.Equal(t, 1, b.apps["chat"].Calls(connector.OpDelete))
	assert.Equal(t, ledger.LinkDeleted, b.link("chat").State)
	assert.Empty(t, b.inAttention())
}

// What the hand-over needs is taken after it, in one run, and the account is deleted after that.
func TestALicenceIsTakenAfterTheHandOver(t *testing.T) {
	rules := testRules()
	rules.Roles[0].Grants[1].Entitlements = []string{"licence:chat", "everybody"}
	b := newBiography(t, rules).unhurried()
	open, err := memory.Kind.Open(t.Context(), connector.Env{App: "chat"}, connector.Settings{
		"name": t.Name() + "/chat", "handOverNeeds": []any{"licence:"},
	})
	require.NoError(t, err)
	b.acts.Apps["chat"] = &provision.App{Connector: open}
	b.hears(0, hired("Sales"))
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(10*day))))
	b.live(60 * day)
	rows, err := b.ledger.Audit(t.Context(), b.person, 0, 1000)
	require.NoError(t, err)
	var did []string
	for _, r := range rows {
		if r.App == "chat" && r.At.After(epoch.Add(9*day)) {
			did = append(did, r.Action)
		}
	}
	assert.Equal(t, []string{"disabled", "stripped", ledger.AuditHandOverBegun, "handed_over", "stripped", "deleted"}, did)
}

// choosy is an app that hands data over only as it deletes an account, and refuses whoever is to get
// them.
type choosy struct{ connector.Connector }

func (c choosy) Capabilities() connector.Capabilities {
	can := c.Connector.Capabilities()
	can.HandOver, can.HandOverByDelete = false, true
	return can
}

func (c choosy) Delete(ctx context.Context, id string) error {
	if connector.RecipientOf(ctx) != "" {
		return connector.Invalid(connector.OpDelete, "they have no licence")
	}
	return c.Connector.Delete(ctx, id)
}

// A deletion that waits because the app refuses the receiver goes on as soon as an operator has
// skipped the hand-over.
func TestADeletionGoesOnOnceItsHandOverIsSkipped(t *testing.T) {
	rules := testRules()
	rules.Apps["chat"] = policy.AppRules{After: []string{"directory"}, Leaver: &policy.LeaverRules{Retain: 30 * day, Delete: true}}
	b := newBiography(t, rules).unhurried()
	b.acts.Apps["chat"] = &provision.App{Connector: choosy{b.acts.Apps["chat"].Connector}}
	b.hears(0, hired("Sales"))
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(10*day))))
	const decided = 50*day + 10*time.Minute
	b.on(decided, func() {
		assert.Equal(t, map[string]string{"chat": provision.CodeNoRecipient}, b.inAttention())
		person, err := b.ledger.Person(t.Context(), b.person)
		require.NoError(t, err)
		i := slices.IndexFunc(person.Steps, func(s ledger.Step) bool { return s.Kind == "HandOver" && s.State == ledger.StepAttention })
		require.GreaterOrEqual(t, i, 0)
		o := operator.New(b.ledger, signals{b}, operator.Viewer{Clock: clock.Func(b.now)})
		keys, err := o.Skip(t.Context(), operator.Request{Actor: "grace", Reason: "moved by hand"}, operator.Attention{PersonID: b.person, Key: person.Steps[i].Key})
		require.NoError(t, err)
		assert.Equal(t, []string{person.Steps[i].Key}, keys)
	})
	b.live(60 * day)
	assert.Empty(t, b.inAttention())
	assert.Equal(t, ledger.LinkDeleted, b.link("chat").State)
	rows, err := b.ledger.Audit(t.Context(), b.person, 0, 1000)
	require.NoError(t, err)
	i := slices.IndexFunc(rows, func(r ledger.AuditRow) bool { return r.App == "chat" && r.Action == "deleted" })
	require.GreaterOrEqual(t, i, 0)
	assert.WithinDuration(t, epoch.Add(decided), rows[i].At, time.Minute, "at once, and not when it is tried again")
	assert.Equal(t, "skipped", rows[i].Detail["handOver"])
}
