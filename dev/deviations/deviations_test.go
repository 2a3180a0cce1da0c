//go:build real

package deviations

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/service/apps"
)

// threeApps is a configuration with three apps whose administrators do much past Tenure; its
// verbs are the settings of each app, and the prefix of groups. What is
// done about differences is different in each app. Nobody is given the group admins.
const threeApps = `
kafka: {brokers: ["localhost:9092"], topics: [{name: hr.events, source: cloudevents}]}
ledger: {url: "sqlite:tenure.db"}
person:
  username: "'u' + person.id"
  email: "'u' + person.id + '@example.com'"
apps:
  openldap:
    connector: ldap
    settings: %[1]s
    attributes: {cn: "person.givenName + ' ' + person.familyName", sn: person.familyName, title: person.jobTitle, mail: person.email}
    protected: [svc-backup, svc-monitor]
  postgresql:
    connector: postgres
    settings: %[2]s
    attributes: {comment: person.jobTitle}
    protected: [svc-backup, svc-monitor]
    reconcile: {grace: 1, lacking: ask}
  scimmy:
    connector: scim
    settings: %[3]s
    attributes: {name.givenName: person.givenName, name.familyName: person.familyName, title: person.jobTitle, emails: person.email}
    protected: [svc-backup, svc-monitor]
    reconcile: {grace: 1, stray: repair, attributes: report}
  register: {connector: memory}
roles:
  - {name: known, when: "true", grants: [{app: register}]} # so that everybody has a username
  - {name: everyone, when: "person.department != 'Elsewhere'", grants: [
      {app: openldap, entitlements: [%[4]severyone]}, {app: postgresql, entitlements: [%[4]severyone]}, {app: scimmy}]}
  - {name: makers, when: "person.department in ['Development', 'Research']", grants: [
      {app: openldap, entitlements: [%[4]smakers]}, {app: postgresql, entitlements: [%[4]smakers]}, {app: scimmy, entitlements: [%[4]smakers]}]}
  - {name: sellers, when: "person.department in ['Sales', 'Marketing']", grants: [
      {app: openldap, entitlements: [%[4]ssellers]}, {app: postgresql, entitlements: [%[4]ssellers]}, {app: scimmy, entitlements: [%[4]ssellers]}]}
  - {name: managers, when: "person.jobTitle.contains('Manager')", grants: [
      {app: openldap, entitlements: [%[4]smanagers]}, {app: postgresql, entitlements: [%[4]smanagers]}, {app: scimmy, entitlements: [%[4]smanagers]}]}
leaver: {retain: 30d, delete: true, handOver: none}
breaker: {enabled: false} # years of leavers come within a minute
`

// site is a server whose administrator changes accounts past Tenure, with the server's own
// tools.
type site interface {
	app() string // in the configuration
	settings() string
	// titled returns the attribute that holds the title, and mails how many addresses an account
	// shows.
	titled() string
	mails() int
	// read returns every account by its username.
	read(t *testing.T) map[string]held

	found(t *testing.T, group string) // makes a group
	turn(t *testing.T, username string, on bool)
	remove(t *testing.T, username string)
	retitle(t *testing.T, username, title string)
	put(t *testing.T, username, group string, in bool)
	create(t *testing.T, username, person string, on bool, mails ...string)
}

// held is what a server shows of an account.
type held struct {
	Person, Title string
	On            bool
	Groups        []string // without the prefix, sorted
}

// deviation is something that an administrator did past Tenure.
type deviation struct {
	finding string                    // as the ledger has to have it: kind, what, username, whose, state
	plant   func()                    // does it
	makes   func(all map[string]held) // does the same to what the server showed before, as far as Tenure leaves it
	then    string                    // the state of the finding after the next scan; empty if it has ended
}

// TestDeviationsAreFoundRepairedAndAsked has the accounts of a company made by the product in
// OpenLDAP, PostgreSQL and SCIMMY. Their administrators then do sixty things with the servers'
// own tools, of every kind that reconciliation knows, and some that it must not find. One scan
// of each app finds every one and nothing else. In the end each server shows, by its own tools,
// what was there before and what an operator is asked about.
func TestDeviationsAreFoundRepairedAndAsked(t *testing.T) {
	opts := company.Typical(60, companySize(t))
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	prefix := "t" + strings.ToLower(rand.Text()[:6]) + "_"
	sites := []site{
		newOpenLDAP(t, prefix), newPostgreSQL(t, prefix), newSCIM(t, prefix),
	}
	for _, s := range sites {
		for _, group := range []string{"everyone", "makers", "sellers", "managers", "admins"} {
			s.found(t, group)
		}
	}
	o := newOffice(t, fmt.Sprintf(threeApps, sites[0].settings(), sites[1].settings(), sites[2].settings(), prefix))

	begun := time.Now()
	want, left := expected(history)
	half := len(history.Events) / 2
	o.hear(append(slices.Clone(history.Events[:half]), outsiders()...))
	o.hear(history.Events[half:])
	for _, s := range sites {
		got := map[string]held{}
		for _, a := range s.read(t) {
			got[a.Person] = a
		}
		require.Empty(t, differs(granted(s, want), left, got), "%s is not as policy says", s.app())
	}
	t.Logf("%d people have accounts in %d apps, and %d have left, after %s", len(want), len(sites), len(left), time.Since(begun).Round(time.Second))

	for _, s := range sites {
		s.create(t, "svc-backup", "", true)
		s.create(t, "svc-monitor", "", true)
		o.scan(s.app())
	}
	require.Empty(t, o.findings(), "nobody has done anything past Tenure")

	planted, ends := map[string]deviation{}, map[string]map[string]held{}
	random := mathrand.New(mathrand.NewPCG(60, 0))
	for i, s := range sites {
		before := s.read(t)
		for _, d := range deviations(t, s, before, newcomersOf(i), random, prefix) {
			name := s.app() + ": " + d.finding
			require.NotContains(t, planted, name, "it is planted twice")
			planted[name] = d
			d.plant()
			d.makes(before)
		}
		harmless(t, s, before, random, prefix)
		ends[s.app()] = before
	}
	require.Len(t, planted, 60)

	begun = time.Now()
	for _, s := range sites {
		o.scan(s.app())
	}
	found := o.findings()
	missed, invented := difference(planted, found)
	assert.Empty(t, missed, "not found")
	assert.Empty(t, invented, "found, although nobody did it")
	t.Logf("three scans took %s", time.Since(begun).Round(time.Second))

	o.settle()
	for _, s := range sites {
		o.scan(s.app()) // what was missing once is missing twice
	}
	o.settle()
	for _, s := range sites {
		assert.Equal(t, ends[s.app()], s.read(t), "%s is not as it should be in the end", s.app())
		o.scan(s.app())
	}
	stay, repaired := map[string]deviation{}, 0
	for name, d := range planted {
		if d.then == "" {
			repaired++
		} else {
			app, _, _ := strings.Cut(name, ": ")
			stay[app+": "+d.then] = d
		}
	}
	still := o.findings()
	missed, invented = difference(stay, still)
	assert.Empty(t, missed, "an operator is not asked any more")
	assert.Empty(t, invented, "found after everything was repaired")
	t.Logf("%d planted, %d found, %d invented, %d repaired, %d asked", len(planted), len(found), len(invented), repaired, len(still))
}

// difference lists what was planted and not found, and what was found and not planted.
func difference(planted map[string]deviation, found []string) (missed, invented []string) {
	for name := range planted {
		if !slices.Contains(found, name) {
			missed = append(missed, name)
		}
	}
	for _, name := range found {
		if _, ok := planted[name]; !ok {
			invented = append(invented, name)
		}
	}
	slices.Sort(missed)
	return missed, invented
}

// elsewhere and gone are people beyond the history: those have no access to any of the three
// apps, and these had none before they left.
func elsewhere(i int) string { return fmt.Sprint("e", i) }
func gone(i int) string      { return fmt.Sprint("g", i) }

// outside is how many of each there are: for each app, as many as deviations needs.
const outside = 12

// newcomers are people beyond the history.
type newcomers struct{ elsewhere, gone []string }

// newcomersOf returns those for one app of three.
func newcomersOf(app int) (some newcomers) {
	for i := app * outside / 3; i < (app+1)*outside/3; i++ {
		some.elsewhere, some.gone = append(some.elsewhere, elsewhere(i)), append(some.gone, gone(i))
	}
	return some
}

// expected returns what policy gives everybody who works there, and who has left.
func expected(history *company.History) (want map[string]held, left []string) {
	want = map[string]held{}
	for _, x := range history.Expected(time.Now()) {
		switch x.Status {
		case hr.StatusActive:
			want[x.PersonID] = held{Person: x.PersonID, On: true, Title: x.JobTitle, Groups: groups(x)}
		case hr.StatusEnded:
			left = append(left, x.PersonID)
		}
	}
	return want, left
}

// groups returns the groups that the roles of threeApps grant, sorted.
func groups(x company.Expected) []string {
	names := []string{"everyone"}
	switch x.Department {
	case "Development", "Research":
		names = append(names, "makers")
	case "Sales", "Marketing":
		names = append(names, "sellers")
	}
	if strings.Contains(x.JobTitle, "Manager") {
		names = append(names, "managers")
	}
	slices.Sort(names)
	return names
}

// differs returns how an app differs from what policy says; empty if it does not.
func differs(want map[string]held, left []string, got map[string]held) string {
	for person, w := range want {
		if g := got[person]; !assert.ObjectsAreEqual(w, g) && (len(w.Groups)+len(g.Groups) > 0 || w.On != g.On || w.Title != g.Title) {
			return fmt.Sprintf("person %s: want %+v, got %+v", person, w, g)
		}
	}
	for person, g := range got {
		if _, active := want[person]; !active && (g.On || slices.Contains(left, person) && len(g.Groups) > 0) {
			return fmt.Sprintf("person %s must have no access, and has %+v", person, g)
		}
	}
	return ""
}

// granted returns what policy grants in an app.
func granted(s site, all map[string]held) map[string]held {
	if s.app() != "scimmy" {
		return all
	}
	want := map[string]held{}
	for person, a := range all {
		a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(group string) bool { return group == "everyone" })
		want[person] = a
	}
	return want
}

// outsiders returns the events about people beyond the history.
func outsiders() (events []hr.Event) {
	for i := range outside {
		for _, person := range []string{elsewhere(i), gone(i)} {
			e := hr.Event{
				EventKey: hr.EventKey{Source: "/hr/beyond", ID: person}, Type: hr.EventHired, PersonID: person, Recorded: time.Now(),
				Effective: hr.Date{Year: 2020, Month: time.January, Day: 1},
				Profile: &hr.Profile{
					Type: hr.TypeContractor, GivenName: "Kim", FamilyName: "Beyond", JobTitle: "Guest", Department: "Elsewhere",
					StartDate: hr.Date{Year: 2020, Month: time.January, Day: 1}, Location: hr.Location{TimeZone: "UTC"},
				},
			}
			if person == gone(i) {
				e.Profile.EndDate = hr.Date{Year: 2020, Month: time.June, Day: 30}
			}
			events = append(events, e)
		}
	}
	return events
}

// reactions says what becomes of a finding by threeApps, where that is not that it is repaired.
var reactions = map[string]map[string]string{
	"openldap":   {"off": "open", "stray": "open", "missing": "pending"}, // until a second scan has shown it
	"postgresql": {"off": "open", "stray": "open", "lacking": "open"},
	"scimmy":     {"off": "open", "attributes": "reported"},
}

// deviations lists twenty things that the administrator of a site does past Tenure. People are
// chosen from what the site shows before.
func deviations(t *testing.T, s site, before map[string]held, beyond newcomers, random *mathrand.Rand, prefix string) (all []deviation) {
	pick := picker(t, before, random)
	// linked is about an account that is somebody's. change is what Tenure leaves of it if it
	// does not repair that.
	linked := func(kind, what, username string, plant func(), change func(a *held)) {
		state := reactions[s.app()][kind]
		if state == "" {
			state = "repairing"
		}
		d := deviation{
			finding: strings.Join([]string{kind, what, username, before[username].Person, state}, " "), plant: plant, makes: func(map[string]held) {},
		}
		if state == "open" || state == "reported" {
			d.then, d.makes = d.finding, func(all map[string]held) {
				a := all[username]
				change(&a)
				all[username] = a
			}
		}
		all = append(all, d)
	}
	for range 2 {
		leaver := pick(func(a held) bool { return !a.On })
		linked("state", "", leaver, func() { s.turn(t, leaver, true) }, nil)

		someone := pick(func(a held) bool { return a.On })
		linked("off", "", someone, func() { s.turn(t, someone, false) }, func(a *held) { a.On = false })

		lost := pick(func(a held) bool { return a.On && len(a.Groups) > 0 })
		linked("missing", "", lost, func() { s.remove(t, lost) }, nil)

		renamed := pick(func(a held) bool { return a.On })
		linked("attributes", s.titled(), renamed, func() { s.retitle(t, renamed, "Emperor") }, func(a *held) { a.Title = "Emperor" })

		member := pick(func(a held) bool { return a.On && len(a.Groups) > 0 })
		group := before[member].Groups[0]
		linked("lacking", prefix+group, member, func() { s.put(t, member, group, false) }, func(a *held) { a.Groups = append([]string(nil), a.Groups[1:]...) })
	}
	for _, group := range []string{"admins", "admins", "sellers"} {
		other := pick(func(a held) bool { return a.On && !slices.Contains(a.Groups, group) })
		linked("stray", prefix+group, other, func() { s.put(t, other, group, true) }, func(a *held) {
			a.Groups = slices.Sorted(slices.Values(append([]string{group}, a.Groups...)))
		})
	}

	// made is about an account that was made by hand: whose says whom it matches.
	made := func(kind, username, person, whose string, on bool, mails ...string) {
		finding := strings.Join([]string{kind, "", username, whose, "open"}, " ")
		all = append(all, deviation{
			finding: finding, then: finding, plant: func() { s.create(t, username, person, on, mails...) },
			makes: func(all map[string]held) { all[username] = held{Person: person, On: on} },
		})
	}
	address := func(person string) string { return "U" + person + "@Example.com" }
	made("orphan", "stranger", "", "", true)
	made("orphan", "sleeper", "nobody-"+s.app(), "", false)
	made("unlinked", "made-by-id", beyond.elsewhere[0], beyond.elsewhere[0], true)
	owner := before[pick(func(a held) bool { return a.On })].Person
	if s.mails() > 0 {
		made("unlinked", "made-by-mail", "", beyond.elsewhere[1], true, address(beyond.elsewhere[1]))
		made("orphan", "left-by-mail", "", "", true, address(beyond.gone[0])) // of somebody who never worked here while Tenure looked, it knows the ID only
	} else {
		made("unlinked", "u"+beyond.elsewhere[1], "", beyond.elsewhere[1], true)
		made("orphan", "left-by-name", "nobody-else", "", true)
	}
	if s.mails() > 1 {
		made("disputed", "made-for-two", "", beyond.elsewhere[2]+","+beyond.elsewhere[3], true, address(beyond.elsewhere[2]), address(beyond.elsewhere[3]))
	} else {
		made("disputed", "made-twice", owner, owner, true)
	}
	// The account that carries the ID of somebody who has left is theirs, and is cut off.
	back := beyond.gone[1]
	all = append(all, deviation{
		finding: strings.Join([]string{"orphan", "", "left-by-id", back, "repairing"}, " "),
		plant:   func() { s.create(t, "left-by-id", back, true) },
		makes:   func(all map[string]held) { all["left-by-id"] = held{Person: back} },
	})
	return all
}

// harmless does what must not be found: protected accounts are changed, and values are written
// in another way that counts as the same.
func harmless(t *testing.T, s site, before map[string]held, random *mathrand.Rand, prefix string) {
	pick := picker(t, before, random)
	change := func(username string, f func(a *held)) {
		a := before[username]
		f(&a)
		before[username] = a
	}
	s.turn(t, "svc-backup", false)
	change("svc-backup", func(a *held) { a.On = false })
	s.put(t, "svc-monitor", "admins", true)
	change("svc-monitor", func(a *held) { a.Groups = []string{"admins"} })
	for range 2 {
		shouted := pick(func(a held) bool { return a.On && a.Title != "" && a.Title != "Emperor" })
		title := strings.ToUpper(before[shouted].Title)
		s.retitle(t, shouted, title)
		change(shouted, func(a *held) { a.Title = title })
	}
}

// picker returns what picks people who have an account, each once.
func picker(t *testing.T, before map[string]held, random *mathrand.Rand) func(fits func(held) bool) string {
	var names []string
	for name, a := range before {
		if strings.HasPrefix(name, "u1") && a.Person == name[1:] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return func(fits func(held) bool) string {
		i := slices.IndexFunc(names, func(name string) bool { return fits(before[name]) })
		require.GreaterOrEqual(t, i, 0, "the company is too small")
		name := names[i]
		names = slices.Delete(names, i, i+1)
		return name
	}
}

// office is what a worker does, without Temporal: it assesses people, makes their steps, and
// scans apps, with the engine, the connectors and the scanner of the product.
type office struct {
	*testing.T
	ledger  ledger.Ledger
	engine  *provision.Engine
	scanner *scan.Scanner
	scans   int

	mu  sync.Mutex
	due map[string]bool // people about whom something is new
}

func newOffice(t *testing.T, configuration string) *office {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "tenure.yaml")
	require.NoError(t, os.WriteFile(path, []byte(configuration), 0o600))
	cfg, err := config.Load(path)
	require.NoError(t, err)
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	known := apps.Of(cfg, store)
	opened, err := known.OpenAll(t.Context(), pace.NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, apps.Close(opened)) })
	o := &office{T: t, ledger: store, due: map[string]bool{}}
	o.engine = &provision.Engine{
		Ledger: store, Policy: cfg.Policy, Apps: opened, Clock: cfg.Clock(), Log: zap.NewNop(),
		AttentionAfter: cfg.Attention.After, Recheck: cfg.Attention.Recheck, Breaker: cfg.Breaker,
	}
	o.scanner = &scan.Scanner{Ledger: store, Policy: cfg.Policy, Clock: cfg.Clock(), Log: zap.NewNop(), Apps: map[string]scan.App{}}
	for name, app := range opened {
		require.NoError(t, app.Unopened, name)
		o.scanner.Apps[name] = scan.App{
			Terms: cfg.Apps[name].Reconcile, Settling: app.Connector.Capabilities().Settling,
			Open: func(ctx context.Context) (connector.Connector, error) { return known.Open(ctx, name) },
		}
	}
	return o
}

// hear records what HR says, and does what is due.
func (o *office) hear(events []hr.Event) {
	o.Helper()
	for some := range slices.Chunk(events, 500) {
		received := make([]ledger.Received, len(some))
		for i, e := range some {
			received[i] = ledger.Received{Event: e, At: time.Now()}
			o.due[e.PersonID] = true
		}
		_, err := o.ledger.Record(o.Context(), received)
		require.NoError(o, err)
	}
	o.settle()
}

// atOnce is how many people the office works on at once.
const atOnce = 8

// settle does what is due until nothing is, and no account is in doubt: those are not judged.
func (o *office) settle() {
	o.Helper()
	for o.settleAll(); ; o.settleAll() {
		links, err := o.ledger.Links(o.Context(), ledger.LinkFilter{})
		require.NoError(o, err)
		var until time.Time
		for _, l := range links {
			if !l.DoubtUntil.IsZero() {
				o.due[l.PersonID] = true
				if l.DoubtUntil.After(until) {
					until = l.DoubtUntil
				}
			}
		}
		if len(o.due) == 0 {
			return
		}
		<-time.After(time.Until(until))
	}
}

// settleAll does what is due.
func (o *office) settleAll() {
	o.Helper()
	people := make(chan string)
	var workers sync.WaitGroup
	var failed []error
	for range atOnce {
		workers.Go(func() {
			for person := range people {
				if err := o.settleOne(person); err != nil {
					o.mu.Lock()
					failed = append(failed, fmt.Errorf("person %s: %w", person, err))
					o.mu.Unlock()
				}
			}
		})
	}
	for person := range o.due {
		people <- person
	}
	close(people)
	workers.Wait()
	require.NoError(o, errors.Join(failed...))
	o.due = map[string]bool{}
}

// settleOne does what is to be done for somebody. A step that could not be made now is tried
// again.
func (o *office) settleOne(person string) error {
	var last error
	for round := range 20 {
		a, err := o.engine.Assess(o.Context(), person)
		if err != nil {
			return err
		}
		if len(a.Questions) > 0 {
			return fmt.Errorf("an operator is asked: %+v", a.Questions)
		}
		if len(a.Todo) == 0 {
			return nil
		}
		done := map[string]bool{}
		for _, todo := range a.Todo {
			if slices.ContainsFunc(todo.Needs, func(key string) bool { return !done[key] }) {
				continue
			}
			_, _, err := o.engine.Apply(o.Context(), provision.Attempt{
				PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key + "/" + strconv.Itoa(round),
			})
			if done[todo.Key] = err == nil; err != nil {
				last = err
			}
		}
	}
	return fmt.Errorf("there is always something left to do: %w", last)
}

// scan scans an app once, and requires that the list is believed.
func (o *office) scan(app string) {
	o.Helper()
	o.scans++
	for {
		p, err := o.scanner.Go(o.Context(), app, strconv.Itoa(o.scans), func() {}, func(people []string) {
			for _, person := range people {
				o.due[person] = true
			}
		})
		require.NoError(o, err)
		if !p.More {
			require.Equal(o, ledger.ScanDone, p.State, "%s: %s", app, p.Why)
			return
		}
	}
}

// findings lists the findings that have not ended, as deviation.finding with their apps.
func (o *office) findings() []string {
	o.Helper()
	all, err := o.ledger.Findings(o.Context(), ledger.FindingFilter{}, 0, 1000)
	require.NoError(o, err)
	list := []string{}
	for _, f := range all {
		whose := f.PersonID
		if whose == "" {
			whose = strings.Join(f.Candidates, ",")
		}
		seen, _, err := o.ledger.Seen(o.Context(), f.App, f.AccountID)
		require.NoError(o, err)
		list = append(list, f.App+": "+strings.Join([]string{string(f.Kind), f.What, seen.Username, whose, string(f.State)}, " "))
	}
	slices.Sort(list)
	return list
}
