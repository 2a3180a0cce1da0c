package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// reopens replaces the connector of an app.
func (b *biography) reopens(app, kindName string, settings connector.Settings) {
	b.t.Helper()
	kind, ok := catalog.Lookup(kindName)
	require.True(b.t, ok)
	c, err := kind.Open(context.Background(), connector.Env{App: app}, settings)
	require.NoError(b.t, err)
	b.acts.Apps[app] = &provision.App{Connector: c}
}

// byHand makes the wiki an app in which humans do all steps by hand.
func byHand(t *testing.T) *biography {
	b := newBiography(t, testRules())
	b.reopens("wiki", "manual", connector.Settings{"assignee": "wiki-admins", "escalateTo": "it-leads"})
	return b
}

// tasks returns all tasks of the person so far.
func (b *biography) tasks() []ledger.Task {
	b.t.Helper()
	tasks, err := b.ledger.Tasks(context.Background(), ledger.TaskFilter{}, 0, 100)
	require.NoError(b.t, err)
	return tasks
}

// taskStates returns what each task is about, and its state.
func (b *biography) taskStates() []string {
	var out []string
	for _, k := range b.tasks() {
		out = append(out, k.Kind+" "+string(k.State))
	}
	return out
}

// does lets a human act on the task with this number.
func (b *biography) does(after time.Duration, verb ledger.TaskVerb, id int64) {
	b.tells(after, func() {
		_, err := b.ledger.ActOnTask(context.Background(), ledger.TaskAction{
			Verb: verb, ID: id, Operator: "grace", Text: "ticket 42", At: epoch.Add(after),
		})
		require.NoError(b.t, err)
	})
}

func (b *biography) link(app string) ledger.Link {
	b.t.Helper()
	person, err := b.ledger.Person(context.Background(), b.person)
	require.NoError(b.t, err)
	for _, l := range person.Links {
		if l.App == app {
			return l
		}
	}
	return ledger.Link{}
}

func TestWhatOnlyHumansCanDoIsAskedOfThemStepByStep(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() {
		assert.Equal(t, "on [engineers staff]", b.state("directory"), "no other app waits for a human")
		assert.Equal(t, []string{"Provision open"}, b.taskStates())
		assert.Equal(t, ledger.LinkPlanned, b.link("wiki").State)
		work := b.tasks()[0].Work
		assert.Equal(t, ledger.TaskWork{Account: "alovelace", Enabled: true, Grant: []string{"engineers"}, Why: "engineering"}, work)
	})
	b.does(3*time.Hour, ledger.VerbTaskDone, 1)
	b.on(3*time.Hour+time.Minute, func() {
		link := b.link("wiki")
		assert.Equal(t, []any{ledger.LinkActive, "alovelace", []string{"engineers"}}, []any{link.State, link.Username, link.Entitlements})
	})
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.on(10*day+time.Minute, func() {
		assert.Equal(t, "off []", b.state("directory"))
		assert.Equal(t, []string{"Provision done", "Disable open"}, b.taskStates())
		task := b.tasks()[1]
		assert.Equal(t, []string{"engineers"}, task.Work.Revoke, "one task for cutting off and what is to be taken")
		assert.Equal(t, epoch.Add(10*day+4*time.Hour), task.DueAt.Truncate(time.Minute))
	})
	b.does(10*day+time.Hour, ledger.VerbTaskDone, 2)
	b.on(10*day+time.Hour+time.Minute, func() {
		link := b.link("wiki")
		assert.Equal(t, ledger.LinkDisabled, link.State)
		assert.Empty(t, link.Entitlements)
		assert.Equal(t, epoch.Add(10*day+time.Hour), link.DisabledAt.Truncate(time.Minute), "retention counts from the word")
	})
	b.on(40*day+30*time.Minute, func() { assert.Len(t, b.tasks(), 2, "no deletion before the end of retention") })
	b.on(40*day+2*time.Hour, func() { assert.Equal(t, []string{"Provision done", "Disable done", "Delete open"}, b.taskStates()) })
	b.does(41*day, ledger.VerbTaskDone, 3)
	b.live(60 * day)
	assert.Equal(t, ledger.LinkDeleted, b.link("wiki").State)
	assert.Subset(t, b.actions(), []string{"wiki:created", "wiki:disabled", "wiki:deleted", "wiki:task_opened", "wiki:task_done"})
	assert.Empty(t, b.inAttention())
}

func TestATaskIsRemindedOfAndEscalatedAndCanStillBeDone(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	task := func() ledger.Task { return b.tasks()[0] }
	b.on(23*time.Hour, func() { assert.Zero(t, task().Reminders) })
	b.on(25*time.Hour, func() {
		assert.Equal(t, 1, task().Reminders)
		assert.Empty(t, b.inAttention(), "there is time")
	})
	b.on(49*time.Hour, func() {
		assert.WithinDuration(t, epoch.Add(48*time.Hour), task().EscalatedAt, time.Minute)
		assert.Equal(t, map[string]string{"wiki": provision.CodeOverdue}, b.inAttention())
	})
	b.does(75*time.Hour, ledger.VerbTaskDone, 1)
	b.on(75*time.Hour+time.Minute, func() { assert.Equal(t, ledger.LinkActive, b.link("wiki").State, "at once") })
	b.live(80 * time.Hour)
	assert.Equal(t, 3, task().Reminders, "at 24, 48 and 72 hours")
	assert.Equal(t, ledger.LinkActive, b.link("wiki").State)
	assert.Empty(t, b.inAttention())
}

// A task to cut somebody off is logged at once: reminders and overdue tasks come hours
// later.
func TestBeingAskedToCutOffIsInTheLog(t *testing.T) {
	b := byHand(t)
	reg := prometheus.NewRegistry()
	b.acts.Metrics = provision.NewMetrics(reg, b.acts.Policy.Apps())
	for _, reason := range []string{"reminded", "overdue"} {
		assert.Equal(t, 0.0, b.toldOf(reg, "wiki", reason), "a rate needs a beginning")
	}
	var lines *observer.ObservedLogs
	b.acts.Log, lines = observed()
	b.hears(0, hired("Development"))
	b.does(time.Hour, ledger.VerbTaskDone, 1)
	b.hears(10*day, hr.Event{Type: hr.EventSuspended})
	b.on(10*day+time.Minute, func() {
		asked := lines.FilterMessage("a human is asked to cut somebody off").All()
		require.Len(t, asked, 1, "once, and not for what gives access")
		said := asked[0].ContextMap()
		assert.WithinDuration(t, b.tasks()[1].DueAt, said["due"].(time.Time), 0)
		delete(said, "due")
		assert.Equal(t, map[string]any{"task": int64(2), "app": "wiki", "step": "Disable", "urgent": true}, said)
	})
	b.live(11 * day)
}

// toldOf returns how many reminders of tasks were counted; -1 if there is no such series.
func (b *biography) toldOf(reg *prometheus.Registry, app, reason string) float64 {
	b.t.Helper()
	families, err := reg.Gather()
	require.NoError(b.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tenure_task_reminders_total" && m.GetLabel()[0].GetValue() == app && m.GetLabel()[1].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

func TestARefusedTaskNeedsAttentionAndIsAskedAnew(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	b.does(time.Hour, ledger.VerbTaskRefuse, 1)
	b.on(time.Hour+time.Minute, func() {
		assert.Equal(t, map[string]string{"wiki": provision.CodeRefused}, b.inAttention())
	})
	retry := b.retries(2*time.Hour, activities.RepairRequest{App: "wiki", Operator: "it"})
	b.on(2*time.Hour+time.Minute, func() {
		assert.Equal(t, []string{"Provision refused", "Provision open"}, b.taskStates())
		assert.Empty(t, b.inAttention())
	})
	b.does(3*time.Hour, ledger.VerbTaskDone, 2)
	b.live(5 * time.Hour)
	require.NoError(t, retry.refused)
	assert.Equal(t, ledger.LinkActive, b.link("wiki").State)
}

// What needs attention is tried again by itself. Nobody is asked again by that for what they have
// refused.
func TestARefusedTaskIsNotAskedAnewByItself(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	b.does(time.Hour, ledger.VerbTaskRefuse, 1)
	b.on(2*day, func() {
		assert.Equal(t, []string{"Provision refused"}, b.taskStates())
		assert.Equal(t, map[string]string{"wiki": provision.CodeRefused}, b.inAttention())
	})
	b.live(2*day + time.Hour)
}

func TestATaskIsWithdrawnWhenItsStepIsNotAskedForAnyMore(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	b.does(time.Hour, ledger.VerbTaskDone, 1)
	mistake := terminated(hr.DateOf(epoch))
	mistake.ID = "mistake"
	b.hears(day, mistake)
	b.on(day+time.Minute, func() { assert.Equal(t, []string{"Provision done", "Disable open"}, b.taskStates()) })
	b.hears(2*day, hr.Event{Type: hr.EventRescinded, Rescinds: "mistake"})
	b.live(3 * day)
	assert.Equal(t, []string{"Provision done", "Disable withdrawn"}, b.taskStates())
	assert.Equal(t, ledger.LinkActive, b.link("wiki").State, "as it never was cut off")
}

// justInTime makes the wiki an app that creates accounts when people sign in through the
// directory.
func justInTime(t *testing.T) *biography {
	b := newBiography(t, testRules())
	b.reopens("wiki", "jit", connector.Settings{
		"directory": "directory",
		"inner":     map[string]any{"connector": "memory", "settings": map[string]any{"name": t.Name() + "/wiki"}},
	})
	return b
}

// signsIn lets the app create the person's account, or enable it again.
func (b *biography) signsIn(after time.Duration) {
	b.on(after, func() {
		if _, there := b.account("wiki"); !there {
			b.apps["wiki"].Put(connector.Account{Username: "alovelace", Active: true})
			return
		}
		account, _ := b.account("wiki")
		require.NoError(b.t, b.acts.Apps["wiki"].Connector.Enable(context.Background(), account.ID))
	})
}

func TestAnAccountThatAppearsAtSignInIsEnded(t *testing.T) {
	b := justInTime(t)
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() {
		assert.Equal(t, "none", b.state("wiki"), "there is nothing to create")
		assert.Equal(t, ledger.LinkActive, b.link("wiki").State)
	})
	b.signsIn(time.Hour)
	var order []string
	for _, app := range []string{"directory", "wiki"} {
		b.apps[app].AfterCall(func(_ context.Context, op, _ string) error {
			if op == connector.OpDisable {
				order = append(order, app)
			}
			return nil
		})
	}
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Minute, func() { assert.Equal(t, "off []", b.state("wiki")) })
	b.live(60 * day)
	assert.Equal(t, []string{"directory", "wiki"}, order, "the directory's cut-off came first")
	assert.Equal(t, "none", b.state("wiki"), "deleted after retention")
}

func TestWhoNeverSignedInLeavesNothing(t *testing.T) {
	b := justInTime(t)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.live(60 * day)
	assert.Equal(t, ledger.LinkDeleted, b.link("wiki").State)
	assert.Empty(t, b.inAttention())
}

// While the account in the directory cannot be disabled, the account in the app is ended
// anyway, and looked for again until the directory is off.
func TestADirectoryThatIsDownDoesNotKeepAnAccountOpen(t *testing.T) {
	b := justInTime(t)
	b.hears(0, hired("Development"))
	b.signsIn(time.Hour)
	b.on(2*time.Hour, func() { b.apps["directory"].SetFaults(memory.Faults{Kind: "unavailable"}) })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Hour, func() {
		assert.Equal(t, "on [engineers staff]", b.state("directory"))
		assert.Equal(t, "off []", b.state("wiki"), "once the directory has failed, it waits no longer")
	})
	b.signsIn(day + 90*time.Minute) // the app enables the account again, because the directory still lets them in
	b.on(day+4*time.Hour, func() { b.apps["directory"].SetFaults(memory.Faults{}) })
	b.live(3 * day)
	assert.Equal(t, "off []", b.state("directory"))
	assert.Equal(t, "off []", b.state("wiki"))
	assert.Equal(t, ledger.LinkDisabled, b.link("wiki").State)
	assert.True(t, b.link("wiki").DoubtUntil.IsZero(), "and nothing is in doubt any more")
}

func TestAHumanEndsWhatHasNoInterface(t *testing.T) {
	b := newBiography(t, testRules())
	b.reopens("wiki", "jit", connector.Settings{"directory": "directory", "assignee": "wiki-admins"})
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() { assert.Empty(t, b.tasks(), "nobody is asked to make what makes itself") })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Minute, func() { assert.Equal(t, []string{"Disable open"}, b.taskStates()) })
	b.does(day+time.Hour, ledger.VerbTaskDone, 1)
	b.on(2*day, func() { assert.Equal(t, ledger.LinkDisabled, b.link("wiki").State) })
	again := hired("Development")
	again.Type = hr.EventRehired
	again.Profile.StartDate = hr.DateOf(epoch.Add(3 * day))
	again.Effective = again.Profile.StartDate
	b.hears(3*day, again)
	b.on(3*day+time.Minute, func() {
		assert.Equal(t, []string{"Disable done", "Provision open"}, b.taskStates(), "whom a human ended a human lets in again")
	})
	b.does(3*day+time.Hour, ledger.VerbTaskDone, 2)
	b.live(5 * day)
	assert.Equal(t, ledger.LinkActive, b.link("wiki").State)
}
