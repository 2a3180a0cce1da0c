package provision_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

const engineering = "Engineering"

// town is an office with two apps: everybody has mail, and engineers have the wiki.
type town struct {
	*office
	apps map[string]*memory.App
	down map[string]bool // apps that do not answer
	said []saying
	open map[string]bool // steps that need an operator
	// What the figures have to follow from, besides what HR said and when accounts were turned.
	outcomes       []outcome
	shown, decided []rate
}

// saying is one thing that HR said, in the form of the event file: the test knows nothing else.
type saying struct {
	person, department    string // no department: they leave
	recorded, at, heardAt time.Time
}

func (s saying) wants(app string) bool {
	return s.department != "" && (app == "mail" || s.department == engineering)
}

// clock is when the clock starts that measures how long it takes: the later of recorded and
// effective.
func (s saying) clock() time.Time {
	if s.at.After(s.recorded) {
		return s.at
	}
	return s.recorded
}

// turned is an account that an app showed to be turned on or off.
type turned struct {
	person, app, department string
	off                     bool
	since, at               time.Time
}

func newTown(t *testing.T) *town {
	t.Helper()
	o := newOffice(t)
	w := &town{office: o, apps: map[string]*memory.App{}, down: map[string]bool{}, open: map[string]bool{}}
	var err error
	o.engine.Policy, err = policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"mail": {}, "wiki": {}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail"}}},
			{Name: "engineers", When: `person.department == "Engineering"`, Grants: []policy.Grant{{App: "wiki"}}},
		},
		Leaver: policy.LeaverRules{Retain: 10 * day, Delete: true},
	})
	require.NoError(t, err)
	o.engine.Apps = map[string]*provision.App{}
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
		open, err := memory.Kind.Open(t.Context(), connector.Env{App: name}, nil)
		require.NoError(t, err)
		o.engine.Apps[app] = &provision.App{Connector: open}
	}
	return w
}

// hears records what HR said.
func (w *town) hears(s saying) {
	w.events++
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprint(w.events)}, Type: hr.EventTransferred, PersonID: s.person,
		Recorded: s.recorded, Effective: hr.DateOf(s.at),
	}
	known := slices.ContainsFunc(w.said, func(o saying) bool { return o.person == s.person })
	if s.department == "" {
		e.Type, e.Effective = hr.EventTerminated, hr.DateOf(s.at).AddDays(-1)
		e.Termination = &hr.Termination{LastDay: e.Effective}
	} else {
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: s.person, FamilyName: "of the town", Department: s.department,
			StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"},
		}
		if !known {
			e.Type = hr.EventHired
		}
	}
	w.said = append(w.said, s)
	_, err := w.engine.Ledger.Record(w.t.Context(), []ledger.Received{{Event: e, At: w.now}})
	require.NoError(w.t, err)
}

// work does what is due now, and counts what came of it.
func (w *town) work() {
	due, err := w.engine.Ledger.Due(w.t.Context(), w.now, 1000)
	require.NoError(w.t, err)
	for _, p := range due {
		w.workOn(p.PersonID)
	}
}

func (w *town) workOn(person string) {
	for range 5 {
		assessment, err := w.engine.Assess(w.t.Context(), person)
		require.NoError(w.t, err)
		failed := len(assessment.Todo) == 0
		maps.DeleteFunc(w.open, func(key string, _ bool) bool {
			return strings.HasPrefix(key, person+" ") && !slices.ContainsFunc(assessment.Todo, func(todo provision.Todo) bool { return key == person+" "+todo.Key })
		})
		for _, todo := range assessment.Todo {
			if !ready(assessment.Todo, todo) {
				continue
			}
			result, _, err := w.engine.Apply(w.t.Context(), provision.Attempt{
				PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
			})
			key := person + " " + todo.Key
			var f *provision.Error
			switch {
			case errors.As(err, &f):
				failed = true
				if f.Final && !w.open[key] {
					w.outcomes = append(w.outcomes, outcome{todo.App, w.department(person), w.now, true})
					w.open[key] = true
				}
			case result == provision.ResultDone:
				w.outcomes = append(w.outcomes, outcome{todo.App, w.department(person), w.now, false})
				delete(w.open, key)
			}
		}
		if failed {
			return
		}
	}
}

// ready reports whether a step needs none of the others first.
func ready(all []provision.Todo, one provision.Todo) bool {
	return !slices.ContainsFunc(all, func(t provision.Todo) bool { return slices.Contains(one.Needs, t.Key) })
}

// on returns whose accounts an app shows as enabled.
func (w *town) on(app string) map[string]bool {
	people := map[string]bool{}
	for _, account := range w.apps[app].Accounts() {
		if account.Active && account.ExternalID != "" {
			people[account.ExternalID] = true
		}
	}
	return people
}

// cause returns what HR had said first of all that has wanted an account on or off ever since.
func (w *town) cause(person, app string, off bool) (found saying) {
	ordered := slices.SortedStableFunc(slices.Values(w.said), func(a, b saying) int { return a.at.Compare(b.at) })
	for _, s := range ordered {
		switch {
		case s.person != person || s.clock().After(w.now):
		case s.wants(app) == off:
			found = saying{}
		case found.person == "":
			found = s
		}
	}
	return found
}

// department returns where somebody works, or worked last.
func (w *town) department(person string) string {
	var found saying
	for _, s := range w.said {
		if s.person == person && s.department != "" && !s.at.After(w.now) && !s.at.Before(found.at) {
			found = s
		}
	}
	return found.department
}

// The figures that are computed from the record are those that follow from what HR said and from
// what the apps showed: the test watches the accounts and never asks the ledger.
func TestFiguresEqualAnIndependentComputation(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			w := newTown(t)
			start := w.now
			var script []saying
			midnight := func(days int) time.Time {
				return time.Date(start.Year(), start.Month(), start.Day()+days, 0, 0, 0, 0, time.UTC)
			}
			tell := func(person, department string, day int) {
				s := saying{person: person, department: department, at: midnight(day)}
				s.recorded = s.at.Add(time.Duration(random.IntN(96)-72) * time.Hour).Add(time.Duration(random.IntN(3600)) * time.Second)
				if s.recorded.Before(start) {
					s.recorded = start
				}
				s.heardAt = s.recorded.Add(time.Duration(random.IntN(10)) * time.Hour)
				script = append(script, s)
			}
			for i := range 10 {
				person, day := fmt.Sprintf("p%d", i), random.IntN(10)
				departments := []string{"Sales", engineering}
				at := random.IntN(2)
				tell(person, departments[at], day)
				for random.IntN(3) > 0 && day < 25 {
					day += 8 + random.IntN(6)
					at = 1 - at
					tell(person, departments[at], day)
				}
				if random.IntN(2) == 0 {
					tell(person, "", day+8+random.IntN(5))
				}
			}
			// Who is hired on the last day of a month, of which Tenure hears in the next one.
			last := time.Date(start.Year(), start.Month()+1, 0, 0, 0, 0, 0, time.UTC)
			script = append(script, saying{person: "late", department: engineering, at: last, recorded: last.Add(20 * time.Hour), heardAt: last.Add(30 * time.Hour)})
			slices.SortStableFunc(script, func(a, b saying) int { return a.heardAt.Compare(b.heardAt) })

			var saw []turned
			days := map[time.Time]map[string]map[string]bool{}
			before := map[string]map[string]bool{"mail": {}, "wiki": {}}
			for ; w.now.Before(start.Add(50 * day)); w.now = w.now.Add(time.Hour) {
				for app := range w.down {
					delete(w.down, app)
				}
				if hour := int(w.now.Sub(start).Hours()); hour%60 < 30 { // down for thirty hours, every sixty
					w.down[[]string{"mail", "wiki"}[hour/60%2]] = true
				}
				for len(script) > 0 && !script[0].heardAt.After(w.now) {
					w.hears(script[0])
					script = script[1:]
				}
				w.work()
				switch hour := int(w.now.Sub(start).Hours()); {
				case hour%84 == 20:
					w.strays(random)
					w.scans("mail")
					w.scans("wiki")
				case hour%200 == 150:
					w.reviews(random)
				}
				for app := range w.apps {
					now := w.on(app)
					for _, person := range slices.Sorted(maps.Keys(merged(before[app], now))) {
						if now[person] == before[app][person] {
							continue
						}
						off := before[app][person]
						saw = append(saw, turned{person, app, w.department(person), off, w.cause(person, app, off).clock(), w.now})
					}
					before[app] = now
				}
				if w.now.Hour() == 12 {
					at := map[string]map[string]bool{}
					maps.Copy(at, before)
					days[w.now] = at
				}
			}
			require.Greater(t, len(saw), 20, "something happened")

			for at, on := range days { // what somebody had then, by the record, is what the apps showed then
				for i := range 10 {
					person := fmt.Sprintf("p%d", i)
					access, err := report.AccessOf(t.Context(), w.engine.Ledger, person, at)
					if errors.Is(err, ledger.ErrNotFound) {
						continue
					}
					require.NoError(t, err)
					got := map[string]bool{}
					for _, a := range access {
						got[a.App] = a.State == ledger.LinkActive
					}
					for app := range w.apps {
						assert.Equal(t, on[app][person], got[app], "%s in %s at %s", person, app, at)
					}
				}
			}

			w.requireSomethingOfEach()
			w.requireFigures(start, saw)
		})
	}
}

func merged(a, b map[string]bool) map[string]bool {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// expected computes figures anew, by sorting all times.
func expected(saw []turned, by []figures.By) map[string]figures.Times {
	took := map[string][]time.Duration{}
	for _, s := range saw {
		figure := "time_to_provision"
		if s.off {
			figure = "time_to_deprovision"
		}
		at := key(figure, s.app, s.department, s.since, by)
		took[at] = append(took[at], s.at.Sub(s.since))
	}
	all := map[string]figures.Times{}
	for key, list := range took {
		slices.Sort(list)
		f := figures.Times{Count: len(list), Longest: int64(list[len(list)-1].Seconds())}
		f.Median, f.P95 = int64(list[(len(list)+1)/2-1].Seconds()), int64(list[(len(list)*95+99)/100-1].Seconds())
		for _, d := range list {
			if d <= 24*time.Hour {
				f.Within++
			} else {
				f.Late++
			}
		}
		all[key] = f
	}
	return all
}
