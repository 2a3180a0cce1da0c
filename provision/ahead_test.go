package provision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// watched counts the points of an attempt: before and after each thing that it does to the ledger
// or to the app. At one of them, something else happens. The worker may die there, or after another
// one: it does nothing more, and hears of nothing that it has done.
type watched struct {
	passed, at int
	meanwhile  func()
	dies       string // at the point of this name, or "there"; empty: nowhere
	dead       bool
	where      string   // what the point was
	did        []string // everything, in order
}

var errDied = errors.New("the worker has died")

func (w *watched) point(name string) error {
	if w.dead {
		return errDied
	}
	if w.passed++; w.passed == w.at {
		w.where, w.dead = name, w.dies == "there"
		w.meanwhile()
	}
	if w.dead = w.dead || w.dies == name; w.dead {
		return errDied
	}
	return nil
}

func watch[T any](w *watched, name string, do func() (T, error)) (T, error) {
	var none T
	if err := w.point("before " + name); err != nil {
		return none, err
	}
	w.did = append(w.did, name)
	got, err := do()
	if died := w.point("after " + name); died != nil {
		return none, died
	}
	return got, err
}

func (w *watched) call(name string, do func() error) error {
	_, err := watch(w, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

type watchedLedger struct {
	ledger.Ledger
	w *watched
}

func (l watchedLedger) Person(ctx context.Context, id string) (ledger.Person, error) {
	return watch(l.w, "Person", func() (ledger.Person, error) { return l.Ledger.Person(ctx, id) })
}

func (l watchedLedger) Namesakes(ctx context.Context, given, family string, limit int) ([]string, error) {
	return watch(l.w, "Namesakes", func() ([]string, error) { return l.Ledger.Namesakes(ctx, given, family, limit) })
}

func (l watchedLedger) BeginStep(ctx context.Context, a ledger.Attempt) (ledger.Begun, error) {
	return watch(l.w, "BeginStep", func() (ledger.Begun, error) { return l.Ledger.BeginStep(ctx, a) })
}

func (l watchedLedger) NoteCreation(ctx context.Context, id, app string, c ledger.Creation) error {
	return l.w.call("NoteCreation", func() error { return l.Ledger.NoteCreation(ctx, id, app, c) })
}

func (l watchedLedger) FinishStep(ctx context.Context, o ledger.Outcome) error {
	return l.w.call("FinishStep", func() error { return l.Ledger.FinishStep(ctx, o) })
}

type watchedApp struct {
	connector.Connector
	w *watched
}

func (a watchedApp) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	return watch(a.w, "Find", func() ([]connector.Match, error) { return a.Connector.Find(ctx, keys) })
}

func (a watchedApp) Read(ctx context.Context, id string) (connector.Account, error) {
	return watch(a.w, "Read", func() (connector.Account, error) { return a.Connector.Read(ctx, id) })
}

func (a watchedApp) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	return watch(a.w, "Create", func() (connector.Account, error) { return a.Connector.Create(ctx, spec) })
}

func (a watchedApp) Grant(ctx context.Context, id string, names []string) error {
	return a.w.call("Grant", func() error { return a.Connector.Grant(ctx, id, names) })
}

// worker returns another worker of the same office, which is watched; nil: which is not.
func (o *office) worker(w *watched) *provision.Engine {
	engine := &provision.Engine{
		Ledger: o.engine.Ledger, Policy: o.engine.Policy, Log: o.engine.Log, Clock: o.engine.Clock,
		AttentionAfter: o.engine.AttentionAfter, Recheck: o.engine.Recheck,
	}
	app := o.engine.Apps["mail"].Connector
	if w != nil {
		engine.Ledger, app = watchedLedger{engine.Ledger, w}, watchedApp{app, w}
	}
	engine.Apps = map[string]*provision.App{"mail": {Connector: app}}
	return engine
}

func apply(t *testing.T, e *provision.Engine, person string, step plan.Step) (provision.Result, error) {
	t.Helper()
	result, _, err := e.Apply(t.Context(), provision.Attempt{
		PersonID: person, Step: step, Deadline: time.Now().Add(time.Minute), Token: step.Key,
	})
	return result, err
}

// work does once what is due for a person, whatever comes of it.
func work(t *testing.T, e *provision.Engine, person string) {
	t.Helper()
	assessment, err := e.Assess(t.Context(), person)
	require.NoError(t, err)
	for _, todo := range assessment.Todo {
		_, _ = apply(t, e, person, todo.Step)
	}
}

// joins records that somebody is hired, and returns the step that gives them their account.
func (o *office) joins(person string, until hr.Date) plan.Step {
	o.t.Helper()
	_, err := o.engine.Ledger.Record(o.t.Context(), []ledger.Received{{At: o.now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "hired " + person}, Type: hr.EventHired, PersonID: person, Recorded: o.now, Effective: hr.DateOf(o.now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: "Lovelace", StartDate: hr.DateOf(o.now), EndDate: until,
			Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(o.t, err)
	assessment, err := o.engine.Assess(o.t.Context(), person)
	require.NoError(o.t, err)
	require.Len(o.t, assessment.Todo, 1)
	return assessment.Todo[0].Step
}

// accountsOf lists the accounts in the app that are a person's.
func (o *office) accountsOf(person string) (accounts []connector.Account) {
	for _, account := range o.memory.Accounts() {
		if account.ExternalID == person {
			accounts = append(accounts, account)
		}
	}
	return accounts
}

// A search comes before the intent of the first account in an app, and counts only if nothing else
// has happened. Whatever happens meanwhile, at whatever point, and whether or not the worker dies
// there: who is to have an account has one, who is to have none is off, and no account is there
// that the ledger does not know.
func TestWhateverHappensWhileAnAccountIsMade(t *testing.T) {
	stays := func(o *office, person string) {
		account := o.accountsOf(person)
		require.Len(o.t, account, 1)
		assert.True(o.t, account[0].Active)
		assert.Equal(o.t, []string{"staff"}, account[0].Entitlements)
		link := linkOf(o, person)
		assert.Equal(o.t, ledger.LinkActive, link.State)
		assert.Equal(o.t, account[0].ID, link.AccountID)
	}
	left := func(o *office, person string) {
		link := linkOf(o, person)
		assert.Contains(o.t, []ledger.LinkState{ledger.LinkDisabled, ledger.LinkDeleted}, link.State)
		assert.False(o.t, link.Creating.Pending())
		for _, account := range o.accountsOf(person) {
			assert.False(o.t, account.Active)
			assert.Equal(o.t, link.AccountID, account.ID)
			assert.Equal(o.t, ledger.LinkDisabled, link.State)
		}
	}
	for name, c := range map[string]struct {
		lastDay   bool // they are there for a day, of which half a minute is left
		meanwhile func(o *office, person string)
		outcome   func(o *office, person string)
		searched  int // how often the app is searched at most, if the worker lives; 0: any number of times
		ends      int // the last point at which it comes in time for no account to be made
	}{
		"nothing": {meanwhile: func(*office, string) {}, outcome: stays, searched: 1},
		"they are assessed": {meanwhile: func(o *office, person string) {
			_, err := o.engine.Assess(o.t.Context(), person)
			require.NoError(o.t, err)
		}, outcome: stays, searched: 1},
		"they are renamed": {meanwhile: func(o *office, person string) {
			if linkOf(o, person).AccountID != "" {
				return // a rename from now on is another change
			}
			// Once an attempt is under way, the operator is asked to wait.
			_, _ = o.engine.Ledger.RenamePerson(o.t.Context(), ledger.Rename{PersonID: person, Base: "new." + person, Operator: "ops", Reason: "x", At: o.now})
		}, outcome: stays, searched: 2},
		"they are promoted": {meanwhile: func(o *office, person string) { o.promoted(person) }, outcome: stays, searched: 1},
		"they are promoted, and another worker does it": {meanwhile: func(o *office, person string) {
			o.promoted(person)
			work(o.t, o.worker(nil), person)
		}, outcome: stays},
		"another worker does it": {meanwhile: func(o *office, person string) {
			work(o.t, o.worker(nil), person)
		}, outcome: stays},
		"another worker makes the account, and dies": {meanwhile: func(o *office, person string) {
			work(o.t, o.worker(&watched{dies: "after Create"}), person)
		}, outcome: stays},
		"they leave": {meanwhile: func(o *office, person string) {
			(&estate{o}).leaves(person)
		}, outcome: left, ends: 5},
		"they leave and are cut off": {meanwhile: func(o *office, person string) {
			(&estate{o}).leaves(person)
			work(o.t, o.worker(nil), person)
		}, outcome: left, ends: 5},
		"their last day is over": {lastDay: true, meanwhile: func(o *office, _ string) {
			o.now = o.now.Add(45 * time.Second)
		}, outcome: left, ends: 4},
		"their last day is over, and they are cut off": {lastDay: true, meanwhile: func(o *office, person string) {
			o.now = o.now.Add(45 * time.Second)
			work(o.t, o.worker(nil), person)
		}, outcome: left, ends: 5},
	} {
		for _, dies := range []string{"", "there", "after Create", "after Grant"} {
			t.Run(fmt.Sprintf("%s, dies %q", name, dies), func(t *testing.T) {
				t.Parallel()
				o := newOffice(t)
				hire(o, "witness", "") // so that the app is seen to find accounts by their external IDs
				for at := 1; ; at++ {
					person := fmt.Sprint("p", at)
					until := hr.Date{}
					if c.lastDay {
						o.now = o.now.Truncate(day).Add(2*day - 30*time.Second)
						until = hr.DateOf(o.now)
					}
					step := o.joins(person, until)
					w := &watched{at: at, dies: dies, meanwhile: func() { c.meanwhile(o, person) }}
					_, err := apply(t, o.worker(w), person, step)
					if w.where == "" {
						if all := []string{"Person", "Find", "BeginStep", "Create", "Grant", "Read", "FinishStep"}; dies != "after Create" && dies != "after Grant" {
							require.NoError(t, err)
							require.Equal(t, all, w.did)
						}
						return
					}
					if finds := countOf(w.did, "Find"); c.searched > 0 && dies == "" {
						assert.LessOrEqual(t, finds, c.searched)
					}
					if at <= c.ends {
						assert.NotContains(t, w.did, "Create", "it is known by then that they are to have none")
					}
					for range 3 { // the run goes on; calls without an answer are over after a while
						work(t, o.worker(nil), person)
						o.now = o.now.Add(10 * time.Minute)
					}
					c.outcome(o, person)
					if t.Failed() {
						t.Fatalf("at point %d, %s: %q", at, w.where, w.did)
					}
				}
			})
		}
	}
}

func countOf(did []string, name string) (n int) {
	for _, d := range did {
		if d == name {
			n++
		}
	}
	return n
}

// What the app was searched for counts as long as nothing was tried there; what was decided does
// not, once anything has changed.
func TestASearchCountsWhateverElseHasChanged(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(o *office)
		searched  int
		creates   int // how often it asks the app to make the account
	}{
		"they are assessed": {func(o *office) {
			_, err := o.engine.Assess(o.t.Context(), "ada")
			require.NoError(o.t, err)
		}, 1, 1},
		"they are renamed": {func(o *office) {
			_, err := o.engine.Ledger.RenamePerson(o.t.Context(), ledger.Rename{PersonID: "ada", Base: "new.ada", Operator: "ops", Reason: "x", At: o.now})
			require.NoError(o.t, err)
		}, 2, 1},
		"another worker makes the account, and dies": {func(o *office) {
			work(o.t, o.worker(&watched{dies: "after Create"}), "ada")
		}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			step := o.joins("ada", hr.Date{})
			w := &watched{at: 4, meanwhile: func() { c.meanwhile(o) }} // after the search
			_, err := apply(t, o.worker(w), "ada", step)
			require.NoError(t, err)
			assert.Equal(t, "after Find", w.where)
			assert.Equal(t, c.searched, countOf(w.did, "Find"), w.did)
			assert.Equal(t, c.creates, countOf(w.did, "Create"), w.did)
			require.Len(t, o.accountsOf("ada"), 1)
		})
	}
}

// updated records that somebody has another name or title.
func (o *office) updated(person, family, title string) {
	o.t.Helper()
	_, err := o.engine.Ledger.Record(o.t.Context(), []ledger.Received{{At: o.now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprint(person, family, title)}, Type: hr.EventUpdated, PersonID: person,
		Recorded: o.now.Add(time.Second), Effective: hr.DateOf(o.now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: family, JobTitle: title, StartDate: hr.DateOf(o.now),
			Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(o.t, err)
}

// promoted records that somebody has another title, which their account has: the step that gives it
// gives way to another one.
func (o *office) promoted(person string) {
	o.t.Helper()
	o.updated(person, "Lovelace", "Countess")
}

// A step that gives way to another one before anything was tried in the app leaves no trace, and the
// app is not searched again for the other one: unless something was tried there meanwhile, or the
// person is called something else, or much time has passed.
func TestASearchCountsForTheStepThatIsDoneInstead(t *testing.T) {
	for name, c := range map[string]struct {
		instead  func(o *office)
		searched int
		creates  int
		earlier  bool // they are promoted before the step begins
	}{
		"nothing else":           {func(*office) {}, 1, 1, false},
		"it gives way earlier":   {func(*office) {}, 1, 1, true},
		"some time has passed":   {func(o *office) { o.now = o.now.Add(14 * time.Second) }, 1, 1, false},
		"much time has passed":   {func(o *office) { o.now = o.now.Add(16 * time.Second) }, 2, 1, false},
		"another worker does it": {func(o *office) { work(o.t, o.worker(nil), "ada") }, 1, 0, false},
		"another one began to":   {func(o *office) { work(o.t, o.worker(&watched{dies: "after BeginStep"}), "ada") }, 2, 1, false},
		"another one made it":    {func(o *office) { work(o.t, o.worker(&watched{dies: "after Create"}), "ada") }, 2, 0, false},
		"they are called another": {func(o *office) {
			o.now = o.now.Add(2 * time.Second)
			o.updated("ada", "King", "Countess")
		}, 2, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			step := o.joins("ada", hr.Date{})
			w := &watched{at: 4, meanwhile: func() { o.promoted("ada") }} // after the search
			if c.earlier {
				w.at = 1
			}
			worker := o.worker(w)
			result, err := apply(t, worker, "ada", step)
			require.NoError(t, err)
			assert.Equal(t, provision.ResultSuperseded, result)
			assert.NotContains(t, w.did, "FinishStep")
			person, err := o.engine.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			for _, s := range person.Steps {
				assert.Zero(t, s.Attempts)
			}
			assert.True(t, linkOf(o, "ada").Untouched())

			c.instead(o)
			work(t, worker, "ada")
			o.now = o.now.Add(10 * time.Minute) // calls without an answer are over
			work(t, worker, "ada")
			assert.Equal(t, c.searched, countOf(w.did, "Find"), w.did)
			assert.Equal(t, c.creates, countOf(w.did, "Create"), w.did)
			accounts := o.accountsOf("ada")
			require.Len(t, accounts, 1)
			assert.Equal(t, "Countess", accounts[0].Attributes["title"])
		})
	}
}

// An account that a search has found is looked at again by the step that is done instead: it may be
// another one by then, or gone.
func TestASearchThatHasFoundSomethingIsNotKept(t *testing.T) {
	o := newOffice(t)
	step := o.joins("ada", hr.Date{})
	_, err := o.mail.Create(t.Context(), connector.Spec{PersonID: "ada", Username: "alovelace"})
	require.NoError(t, err)
	w := &watched{at: 4, meanwhile: func() { o.promoted("ada") }} // after the search
	worker := o.worker(w)
	result, err := apply(t, worker, "ada", step)
	require.NoError(t, err)
	require.Equal(t, provision.ResultSuperseded, result)
	work(t, worker, "ada")
	assert.Equal(t, 2, countOf(w.did, "Find"), w.did)
}

// Nothing that only reads claims that an account may be there. From the intent on, the ledger has
// the attempt and the creation.
func TestTheCreationIsKnownFromTheIntentOnAndNoSooner(t *testing.T) {
	o := newOffice(t)
	for at, known := range map[int]bool{4: false, 5: false, 6: true, 7: true} { // around Find and BeginStep
		person := fmt.Sprint("p", at)
		step := o.joins(person, hr.Date{})
		w := &watched{at: at, dies: "there", meanwhile: func() {}}
		_, err := apply(t, o.worker(w), person, step)
		require.ErrorContains(t, err, "ledger")
		require.Equal(t, map[int]string{4: "after Find", 5: "before BeginStep", 6: "after BeginStep", 7: "before Create"}[at], w.where)
		link := linkOf(o, person)
		assert.Equal(t, !known, link.Untouched(), w.where)
		assert.Equal(t, known, link.Creating.State == ledger.CreationSent && link.Creating.Username == link.Username, w.where)
		p, err := o.engine.Ledger.Person(t.Context(), person)
		require.NoError(t, err)
		assert.Equal(t, known, p.Steps[0].Attempts == 1, w.where)
	}
}

// While an app pauses, nothing is searched ahead: what was decided before the pause may not hold
// after it, so that the search would be made twice.
func TestNothingIsSearchedAheadWhileTheAppPauses(t *testing.T) {
	for pause, want := range map[time.Duration]string{0: "Find", time.Minute: "BeginStep"} {
		o := newOffice(t)
		step := o.joins("ada", hr.Date{})
		w := &watched{}
		engine := o.worker(w)
		pacer := pace.New(t.Context(), "mail", pace.Rate{}, o.engine.Ledger, pace.NewMetrics(prometheus.NewRegistry()))
		engine.Apps["mail"].Pacer = pacer
		require.NoError(t, pacer.Pause(t.Context(), pause))
		_, err := apply(t, engine, "ada", step) // this app does not ask the pacer
		require.NoError(t, err)
		first := slices.IndexFunc(w.did, func(did string) bool { return did == "Find" || did == "BeginStep" })
		assert.Equal(t, want, w.did[first], "after %s: %v", pause, w.did)
	}
}
