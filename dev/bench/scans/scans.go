// Package scans measures what scans of an app cost: requests to the app, transactions of the
// ledger, and memory. The scanner, the ledger and the SCIM connector are the product's own; the
// app makes its accounts when it is asked for them.
package scans

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// Options says which scans are measured.
type Options struct {
	// Accounts lists how many accounts the app has; each number is measured with a ledger of
	// its own. None leaves scans out.
	Accounts []int
	// Ledger is the URL of an empty ledger for the last number; empty: a SQLite file, as for
	// the others.
	Ledger string
}

// Cost is what one scan took.
type Cost struct {
	Accounts int    `json:"accounts"`
	How      string `json:"how"`   // how the app is listed
	Store    string `json:"store"` // the kind of ledger
	First    bool   `json:"first"` // no scan was before it
	// App counts the requests to the app, and Ledger the calls to the ledger, each of which is
	// one transaction.
	App    map[string]int `json:"app"`
	Ledger map[string]int `json:"ledger"`
	// Heap is how much more the Go heap held at most than before the scan, and Resident how
	// much memory the process had at most, in bytes.
	Heap     int64 `json:"heap"`
	Resident int64 `json:"resident"`
	// Took is how long it took, and CPU how much of the processors' time, both without measuring.
	// The app is a part of it where it is listed by SCIM.
	Took time.Duration `json:"took"`
	CPU  time.Duration `json:"cpu"`
}

const mebibyte = 1 << 20

// What a scan may hold at most beyond what was held before: a page of accounts with all that
// the ledger knows of them, and for each account of a SCIM service its ID, since such a
// service may list one twice.
const (
	heapOfPage    = 6 * mebibyte
	heapOfAccount = 160
)

// HeapBound returns what the Go heap may hold more at most during the scan, in bytes.
func (c Cost) HeapBound() int64 {
	if c.How == howGenerated {
		return heapOfPage
	}
	return heapOfPage + heapOfAccount*int64(c.Accounts)
}

// The ways in which the app is listed.
const (
	howGenerated = "pages, no protocol"
	howPages     = "SCIM, pages"
	howWhole     = "SCIM, as a whole"
)

// scanned is the name of the app that is scanned.
const scanned = "directory"

// Measure measures a first scan of an app, and then one for each way to list it.
func Measure(ctx context.Context, o Options, tell func(format string, args ...any)) (all []Cost, err error) {
	for i, n := range o.Accounts {
		if n == 0 {
			continue
		}
		url := ""
		if i == len(o.Accounts)-1 {
			url = o.Ledger
		}
		costs, err := measure(ctx, n, url, tell)
		if err != nil {
			return nil, err
		}
		for _, c := range costs {
			if c.Heap > c.HeapBound() {
				return nil, fmt.Errorf("a scan of %d accounts (%s) holds %.1f MiB more than before it, and may hold %.1f", c.Accounts, c.How, Mebibytes(c.Heap), Mebibytes(c.HeapBound()))
			}
		}
		all = append(all, costs...)
	}
	return all, nil
}

func measure(ctx context.Context, n int, url string, tell func(format string, args ...any)) (all []Cost, err error) {
	dir, err := os.MkdirTemp("", "tenure-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store := strings.SplitN(url, ":", 2)[0]
	if url == "" {
		url, store = "sqlite:"+filepath.Join(dir, "ledger.db"), "SQLite"
	}
	opened, err := open.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	tell("recording %d people with an account each ...", n)
	app := newDirectory(n)
	if err := app.populate(ctx, opened); err != nil {
		return nil, err
	}
	service, err := app.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = service.Close() }()
	m := &measured{Ledger: opened, directory: app}
	for i, how := range []string{howGenerated, howGenerated, howPages, howWhole} {
		tell("scanning %d accounts (%s) ...", n, how)
		cost, err := m.scan(ctx, how, fmt.Sprint("scan ", i))
		if err != nil {
			return nil, err
		}
		cost.Store, cost.First = store, i == 0
		all = append(all, cost)
	}
	return all, nil
}

// measured is a ledger that counts what a scan calls. Before each page is stored, which is
// when most is held, it measures the memory.
type measured struct {
	ledger.Ledger
	directory *directory
	meter     meter
	calls     map[string]int
}

// scan scans the app once, and checks what it finds.
func (m *measured) scan(ctx context.Context, how, key string) (Cost, error) {
	rules, err := policy.Compile(policy.Rules{
		Apps:  map[string]policy.AppRules{scanned: {Attributes: map[string]string{"title": "person.jobTitle", "displayName": "person.givenName"}}},
		Roles: []policy.Role{{Name: "everyone", When: "true", Grants: []policy.Grant{{App: scanned, Entitlements: []string{"staff"}}}}},
	})
	if err != nil {
		return Cost{}, err
	}
	reactions := map[reconcile.Kind]reconcile.Reaction{}
	for _, kind := range reconcile.Kinds() {
		reactions[kind] = reconcile.Report // so that each scan finds the same
	}
	scanner := &scan.Scanner{Ledger: m, Policy: rules, Clock: clock.Real(), Log: zap.NewNop(), Apps: map[string]scan.App{scanned: {
		Terms: reconcile.Terms{Shrink: 0.1, Grace: 1, Reactions: reactions}, Open: m.directory.opener(how),
	}}}
	m.calls = map[string]int{}
	m.directory.forget()
	m.meter.begin()
	for {
		progress, err := scanner.Go(ctx, scanned, key, func() {}, func([]string) {})
		if err != nil {
			return Cost{}, err
		}
		if progress.More {
			continue
		}
		if progress.State != ledger.ScanDone {
			return Cost{}, fmt.Errorf("the scan ended as %s: %s", progress.State, progress.Why)
		}
		break
	}
	cost := Cost{Accounts: m.directory.accounts, How: how, App: m.directory.requests(), Ledger: m.calls}
	heap, resident, took := m.meter.end()
	cost.Heap, cost.Resident, cost.Took, cost.CPU = heap, resident, took.Wall, took.CPU
	return cost, m.check(ctx)
}

// check compares what was found with what the directory is made of.
func (m *measured) check(ctx context.Context) error {
	counts, err := m.CountFindings(ctx)
	if err != nil {
		return err
	}
	found := map[ledger.FindingKind]int{}
	for _, c := range counts {
		found[c.Kind] += c.N
	}
	if want := m.directory.differences(); !maps.Equal(found, want) {
		return fmt.Errorf("the scan found %v, not %v", found, want)
	}
	return nil
}

// Observe implements ledger.Scans.
func (m *measured) Observe(ctx context.Context, page ledger.Listed) error {
	m.calls["Observe"]++
	m.meter.look()
	return m.Ledger.Observe(ctx, page)
}

// Sightings implements ledger.Scans.
func (m *measured) Sightings(ctx context.Context, id int64, after string, at time.Time, limit int) ([]ledger.Sighting, error) {
	m.calls["Sightings"]++
	return m.Ledger.Sightings(ctx, id, after, at, limit)
}

// SaveVerdicts implements ledger.Scans.
func (m *measured) SaveVerdicts(ctx context.Context, page ledger.Compared) ([]string, error) {
	m.calls["SaveVerdicts"]++
	m.meter.look()
	return m.Ledger.SaveVerdicts(ctx, page)
}

// Person implements ledger.Ledger.
func (m *measured) Person(ctx context.Context, id string) (ledger.Person, error) {
	m.calls["Person"]++
	return m.Ledger.Person(ctx, id)
}

// populate records everybody, and links those who are linked.
func (d *directory) populate(ctx context.Context, store ledger.Ledger) error {
	now := time.Now()
	for some := range slices.Chunk(d.people(), 500) {
		var events []ledger.Received
		var ids []ledger.Identifier
		for _, i := range some {
			person := personOf(i)
			events = append(events, ledger.Received{Event: hired(person, now), At: now})
			ids = append(ids,
				ledger.Identifier{Kind: ledger.IdentifiesPerson, Value: person, PersonID: person},
				ledger.Identifier{Kind: ledger.IdentifiesUsername, Value: usernameOf(i), PersonID: person},
				ledger.Identifier{Kind: ledger.IdentifiesEmail, Value: usernameOf(i) + "@example.com", PersonID: person})
		}
		if _, err := store.Record(ctx, events); err != nil {
			return err
		}
		if err := store.NoteIdentifiers(ctx, now, ids); err != nil {
			return err
		}
	}
	return together(d.people(), func(i int) error {
		return store.FinishStep(ctx, ledger.Outcome{
			PersonID: personOf(i), App: scanned, Key: scanned, Kind: "Provision", At: now, State: ledger.StepDone,
			Link: &ledger.Link{
				PersonID: personOf(i), App: scanned, AccountID: accountOf(i), Username: usernameOf(i), State: ledger.LinkActive,
				Entitlements: []string{"staff"}, Attributes: ledger.AttributesUnknown, CreatedAt: now, ProvenAt: now,
			},
		})
	})
}

func hired(person string, at time.Time) hr.Event {
	return hr.Event{
		EventKey: hr.EventKey{Source: "/hr/bench", ID: person}, Type: hr.EventHired, PersonID: person, Recorded: at, Effective: hr.DateOf(at),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace-" + person, JobTitle: "Engineer",
			StartDate: hr.DateOf(at), Location: hr.Location{TimeZone: "UTC"},
		},
	}
}

// together calls f for all numbers, many at a time, so that they share commits.
func together(numbers []int, f func(i int) error) error {
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	todo := make(chan int)
	for range 400 {
		wg.Go(func() {
			for i := range todo {
				if err := f(i); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range numbers {
		todo <- i
	}
	close(todo)
	wg.Wait()
	return failed
}

// opener returns what opens the app for a scan.
func (d *directory) opener(how string) func(context.Context) (connector.Connector, error) {
	return func(ctx context.Context) (connector.Connector, error) {
		if how == howGenerated {
			return generated{directory: d}, nil
		}
		c, err := scim.Kind.Open(ctx, connector.Env{App: scanned}, connector.Settings{"url": d.url, "token": "bench"})
		if how == howWhole && err == nil {
			c = wholly{c}
		}
		return c, err
	}
}

// wholly is an app that can only be listed as a whole.
type wholly struct{ connector.Connector }

// Capabilities implements connector.Connector.
func (w wholly) Capabilities() connector.Capabilities {
	can := w.Connector.Capabilities()
	can.Page = false
	return can
}
