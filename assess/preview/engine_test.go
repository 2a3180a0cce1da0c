package preview

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

var epoch = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// managerOf returns the ID of a person's manager, who has an account in every app.
func managerOf(person string) string { return "manager-of-" + person }

// company is an engine with a clock that stands still until it is set, and with five
// apps: connectors operate two, one of which gives accounts that are off nothing, humans
// operate another, and in two of them accounts appear at sign-in, which a connector or a human
// ends.
type company struct {
	t      *rapid.T
	engine *provision.Engine
	now    time.Time
	portal *memory.App
}

var settings = map[string]connector.Settings{
	"directory": {"recycleBin": "480h"},
	"vault":     {},
	"safe":      {"assignee": "it", "handOver": true},
	"portal":    {"directory": "directory", "inner": map[string]any{"connector": "memory", "settings": map[string]any{"name": "portal"}}},
	"forum":     {"directory": "directory", "assignee": "it"},
}

// frozen is an app that gives an account which is off nothing until it is enabled.
type frozen struct{ connector.Connector }

func (f frozen) Capabilities() connector.Capabilities {
	can := f.Connector.Capabilities()
	can.EnableFirst, can.Frozen = true, true
	return can
}

func newCompany(t *rapid.T, store ledger.Ledger, person string, rules policy.Rules) *company {
	manager := managerOf(person)
	compiled, err := policy.Compile(rules)
	require.NoError(t, err)
	c := &company{t: t, now: epoch, portal: memory.Shared("portal")}
	for app := range settings {
		memory.Shared(app).Reset()
	}
	apps := map[string]*provision.App{}
	for app, kindName := range map[string]string{"directory": "memory", "vault": "memory", "safe": "manual", "portal": "jit", "forum": "jit"} {
		kind, ok := catalog.Lookup(kindName)
		require.True(t, ok)
		open, err := kind.Open(t.Context(), connector.Env{App: app}, settings[app])
		require.NoError(t, err)
		if app == "vault" {
			open = frozen{open}
		}
		apps[app] = &provision.App{Connector: open}
		id := memory.Shared(app).Put(connector.Account{Username: "boss", ExternalID: manager, Active: true})
		require.NoError(t, store.FinishStep(t.Context(), ledger.Outcome{
			PersonID: manager, App: app, Key: app, Kind: "Provision", At: epoch, State: ledger.StepDone,
			Link: &ledger.Link{PersonID: manager, App: app, AccountID: id, Username: "boss", State: ledger.LinkActive},
		}))
	}
	c.engine = &provision.Engine{
		Ledger: store, Policy: compiled, Apps: apps, Log: zap.NewNop(),
		Clock:          clock.Func(func() time.Time { return c.now }),
		AttentionAfter: time.Hour, Recheck: time.Hour,
	}
	return c
}

// live has the engine do everything that has to be done for a person until an instant
// (zero: until nothing is left), and returns the person's links.
func (c *company) live(personID string, until time.Time) []ledger.Link {
	for range 200 {
		assessment, err := c.engine.Assess(c.t.Context(), personID)
		require.NoError(c.t, err)
		require.Empty(c.t, assessment.Questions)
		for _, todo := range assessment.Todo {
			c.apply(personID, todo.Step)
		}
		due := assessment.Due.At
		switch {
		case len(assessment.Todo) > 0:
		case due.IsZero(), !until.IsZero() && due.After(until):
			links, err := c.engine.Ledger.Links(c.t.Context(), ledger.LinkFilter{PersonID: personID})
			require.NoError(c.t, err)
			return links
		default:
			c.now = due
		}
	}
	c.t.Fatal("there is always something to do")
	return nil
}

// apply applies one step. A human does it if one is asked, and an account appears in the
// portal as soon as the person may have one.
func (c *company) apply(personID string, step plan.Step) {
	attempt := provision.Attempt{PersonID: personID, Step: step, Deadline: time.Now().Add(time.Minute), Token: step.Key}
	result, _, err := c.engine.Apply(c.t.Context(), attempt)
	require.NoError(c.t, err, step.Key)
	if result == provision.ResultWaiting {
		person, err := c.engine.Ledger.Person(c.t.Context(), personID)
		require.NoError(c.t, err)
		for _, task := range person.Tasks {
			_, err := c.engine.Ledger.ActOnTask(c.t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: task.ID, Operator: "it", Text: "seen", At: c.now})
			require.NoError(c.t, err)
		}
		result, _, err = c.engine.Apply(c.t.Context(), attempt)
		require.NoError(c.t, err, step.Key)
	}
	require.NotEqual(c.t, provision.ResultWaiting, result)
	const bossAlone = 1
	if step.App == "portal" && step.Kind == plan.Provision && len(c.portal.Accounts()) == bossAlone {
		person, err := c.engine.Ledger.Person(c.t.Context(), personID)
		require.NoError(c.t, err)
		c.portal.Put(connector.Account{Username: person.Username, ExternalID: personID, Active: step.Enabled})
	}
}

// rehearse returns the links that a person has at the end of a rehearsal.
func (c *company) rehearse(personID string) []ledger.Link {
	rules := assess.Rules{Policy: c.engine.Policy, Apps: map[string]plan.App{}}
	for name, app := range c.engine.Apps {
		resolved, _ := c.engine.Policy.App(name)
		rules.Apps[name] = assess.Traits(resolved, app.Connector)
	}
	person, err := c.engine.Ledger.Person(c.t.Context(), personID)
	require.NoError(c.t, err)
	r := New(c.engine.Ledger, Scenario{Now: c.now, Rules: rules})
	w := &walk{Rehearsal: r, rules: rules, names: r.before, person: person, known: remember(person, rules.Policy)}
	require.NoError(c.t, w.live(c.t.Context()))
	require.Empty(c.t, w.out.Problems)
	for _, change := range w.out.Changes {
		require.Empty(c.t, change.Problem)
	}
	return w.person.Links
}

// Whatever happens to a person, their links become what a rehearsal says, to the last
// field: in apps with an interface, in apps that humans operate, and in apps whose accounts
// appear at sign-in.
func TestTheEngineLeavesWhatIsRehearsed(t *testing.T) {
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	people := 0
	reached := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		people++
		person := fmt.Sprint(people)
		first, second := randomLife(t, person)
		if len(hr.Merge(person, slices.Concat(first, second)).Conflicts) > 0 {
			t.Skip("a human would have to say what HR meant")
		}
		c := newCompany(t, store, person, randomRules(t))
		c.hear(first)
		c.live(person, second[0].Recorded)
		c.now = second[0].Recorded
		c.hear(second)
		rehearsed := c.rehearse(person)
		assert.Equal(t, comparable(rehearsed), comparable(c.live(person, time.Time{})))
		for _, l := range rehearsed {
			reached[l.App+" "+string(l.State)] = true
		}
	})
	for app := range settings {
		assert.True(t, reached[app+" "+string(ledger.LinkActive)], app)
		assert.True(t, reached[app+" "+string(ledger.LinkDisabled)], app)
	}
	for _, app := range []string{"directory", "vault", "safe", "portal"} {
		assert.True(t, reached[app+" "+string(ledger.LinkDeleted)], app)
	}
}

// hear records events at the company's present.
func (c *company) hear(events []hr.Event) {
	var received []ledger.Received
	for _, e := range events {
		received = append(received, ledger.Received{Event: e, At: c.now})
	}
	_, err := c.engine.Ledger.Record(c.t.Context(), received)
	require.NoError(c.t, err)
}

// comparable returns links as text, in the order of apps, without what a rehearsal cannot
// know: the account's ID, and when an account that appears at sign-in was first seen or is
// seen no more.
func comparable(links []ledger.Link) []string {
	var out []string
	for _, l := range links {
		if l.App == "portal" || l.App == "forum" {
			l.CreatedAt, l.Binned = time.Time{}, ledger.Binned{}
		}
		text := fmt.Sprint(l.App, " ", l.State, " ", l.Username, " ", l.Adopted, l.Entitlements, l.Attributes, l.RenameTo, l.OwnerWas, l.Creating.State, l.Binned.At.UTC())
		for _, at := range []time.Time{l.CreatedAt, l.DisabledAt, l.StrippedAt, l.HandedOverAt, l.DeletedAt, l.ProvenAt, l.DoubtUntil} {
			text += at.UTC().Format(" 2006-01-02T15:04:05")
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func randomRules(t *rapid.T) policy.Rules {
	title := map[string]string{"title": "person.jobTitle"}
	days := func(name string, some ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(some).Draw(t, name)) * day
	}
	lead := days("lead time", 0, 3)
	everyone := []policy.Grant{{App: "directory", Entitlements: []string{"staff"}}, {App: "vault", Entitlements: []string{"staff"}}, {App: "forum"}}
	if lead == 0 { // nobody signs in before the first day, which a rehearsal cannot know
		everyone = append(everyone, policy.Grant{App: "portal"})
	}
	return policy.Rules{
		Apps: map[string]policy.AppRules{"directory": {Attributes: title}, "vault": {Attributes: title}, "safe": {Attributes: title}, "portal": {}, "forum": {Attributes: title}},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: everyone},
			{Name: "engineering", When: "person.department == 'Development'", Grants: []policy.Grant{
				{App: "safe", Entitlements: []string{"keys"}}, {App: "directory", Entitlements: []string{"engineers"}}, {App: "vault", Entitlements: []string{"keys"}},
			}},
			{Name: "sales", When: "person.department == 'Sales'", Grants: []policy.Grant{{App: "safe", Entitlements: []string{"cash"}}, {App: "vault", Entitlements: []string{"cash"}}}},
		},
		Joiner: policy.JoinerRules{LeadTime: lead},
		Mover:  policy.MoverRules{Overlap: days("overlap", 0, 7)},
		Leaver: policy.LeaverRules{Retain: days("retain", 0, 20), Delete: rapid.Bool().Draw(t, "delete")},
	}
}

// randomLife returns what HR says about a person at first, and some days later.
func randomLife(t *rapid.T, person string) (first, second []hr.Event) {
	n := 0
	event := func(recorded time.Time, kinds ...hr.EventType) hr.Event {
		n++
		on := hr.DateOf(epoch).AddDays(rapid.IntRange(-10, 60).Draw(t, "day"))
		p := &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", ManagerID: managerOf(person), StartDate: hr.DateOf(epoch).AddDays(2),
			Location:   hr.Location{TimeZone: "Europe/Berlin"},
			Department: rapid.SampledFrom([]string{"Development", "Sales", "Legal"}).Draw(t, "department"),
			JobTitle:   rapid.SampledFrom([]string{"Clerk", "Chief"}).Draw(t, "title"),
		}
		e := hr.Event{
			EventKey: hr.EventKey{Source: "/hr/test", ID: fmt.Sprint(person, "-", n)}, PersonID: person, Type: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Recorded: recorded.Add(time.Duration(n) * time.Second), Effective: on,
		}
		switch e.Type {
		case hr.EventTerminated:
			e.Termination = &hr.Termination{LastDay: on}
		case hr.EventHired:
			e.Effective, e.Profile = p.StartDate, p
		case hr.EventRehired:
			p.StartDate, e.Profile = on, p
		case hr.EventTransferred, hr.EventUpdated:
			e.Profile = p
		}
		return e
	}
	later := epoch.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "later")) * day)
	first = []hr.Event{event(epoch, hr.EventHired)}
	for range rapid.IntRange(1, 3).Draw(t, "events") {
		second = append(second, event(later, hr.EventTransferred, hr.EventUpdated, hr.EventTerminated, hr.EventRehired, hr.EventLeaveStarted, hr.EventLeaveEnded))
	}
	return first, second
}
