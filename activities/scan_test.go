package activities_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// paged is an app of which a test says what its pages are.
type paged struct {
	connector.Connector
	pages map[string]connector.Page // by token
	fails func(token string) error  // nil: never
	asked []string                  // the tokens of the pages that were asked for
}

func (p *paged) Close() error { return nil }

func (p *paged) Page(_ context.Context, token string) (connector.Page, error) {
	p.asked = append(p.asked, token)
	if p.fails != nil {
		if err := p.fails(token); err != nil {
			return connector.Page{}, err
		}
	}
	return p.pages[token], nil
}

func (p *paged) Read(context.Context, string) (connector.Account, error) {
	return connector.Account{}, &connector.Error{Kind: connector.KindNotFound, Op: connector.OpRead, Message: "x"}
}

// newPaged returns an app with n pages of 25 accounts each.
func newPaged(t *testing.T, n int) *paged {
	t.Helper()
	inner, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, connector.Settings{})
	require.NoError(t, err)
	p := &paged{Connector: inner, pages: map[string]connector.Page{}}
	for i := range n {
		page := connector.Page{Total: 25 * n, Next: fmt.Sprint("page ", i+1)}
		for j := range 25 {
			page.Accounts = append(page.Accounts, connector.Account{ID: fmt.Sprintf("%02d-%02d", i, j), Username: fmt.Sprintf("u%02d-%02d", i, j), Active: true})
		}
		token := fmt.Sprint("page ", i)
		if i == 0 {
			token = ""
		}
		if i == n-1 {
			page.Next = ""
		}
		p.pages[token] = page
	}
	return p
}

// change changes the page with a token.
func (p *paged) change(token string, do func(page *connector.Page)) {
	page := p.pages[token]
	do(&page)
	p.pages[token] = page
}

// watched is what scans the app, with a ledger.
type watched struct {
	*activities.Activities
	app   *paged
	runs  *openRuns
	now   time.Time
	scans int
}

func newWatched(t *testing.T, app *paged) *watched {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	rules, err := policy.Compile(policy.Rules{Apps: map[string]policy.AppRules{"wiki": {}}})
	require.NoError(t, err)
	w := &watched{app: app, runs: &openRuns{resumed: map[string]string{}}, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	now := clock.Func(func() time.Time { return w.now })
	w.Activities = &activities.Activities{
		Runs:   w.runs,
		Engine: &provision.Engine{Ledger: store, Log: zap.NewNop(), Clock: now},
		Scanner: &scan.Scanner{Ledger: store, Policy: rules, Clock: now, Log: zap.NewNop(), Apps: map[string]scan.App{"wiki": {
			Terms: reconcile.Terms{Shrink: 0.1, Grace: 1, Flapping: 3, Reactions: map[reconcile.Kind]reconcile.Reaction{reconcile.Orphan: reconcile.End}},
			Open:  func(context.Context) (connector.Connector, error) { return app, nil },
		}}},
	}
	return w
}

// goOn makes a part of the present scan, as Temporal has it made.
func (w *watched) goOn() (p scan.Progress, err error) {
	w.now = w.now.Add(time.Minute)
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(w.Scan)
	value, err := env.ExecuteActivity(w.Scan, activities.ScanRequest{App: "wiki", Key: strconv.Itoa(w.scans)})
	if err != nil {
		return p, err
	}
	return p, value.Get(&p)
}

// scan makes another scan, and requires that it ends in this state and for this reason.
func (w *watched) scan(t *testing.T, state ledger.ScanState, why string) {
	t.Helper()
	w.now = w.now.Add(time.Hour)
	w.scans++
	p, err := w.goOn()
	require.NoError(t, err)
	assert.Equal(t, []any{state, why}, []any{p.State, p.Why})
}

// found counts the findings that have not ended, by kind.
func (w *watched) found(t *testing.T) map[ledger.FindingKind]int {
	t.Helper()
	counts, err := w.Ledger.CountFindings(t.Context())
	require.NoError(t, err)
	all := map[ledger.FindingKind]int{}
	for _, c := range counts {
		all[c.Kind] += c.N
	}
	return all
}

// A worker is killed at each page. The next one goes on with that page, and tells whom the
// whole scan has made due.
func TestAScanGoesOnAfterAKillAtEachPage(t *testing.T) {
	const pages = 6
	for dies := range pages {
		t.Run(strconv.Itoa(dies), func(t *testing.T) {
			w := newWatched(t, newPaged(t, pages))
			calls := 0
			w.app.fails = func(string) error {
				if calls++; calls == dies+1 {
					return errors.New("the worker has died")
				}
				return nil
			}
			_, err := w.goOn()
			require.Error(t, err)
			assert.Empty(t, w.found(t), "nothing is concluded from a part")
			p, err := w.goOn()
			require.NoError(t, err)
			assert.Equal(t, []any{ledger.ScanDone, 25 * pages}, []any{p.State, p.Accounts})
			assert.Len(t, w.app.asked, pages+1, "one page is asked for twice")
			assert.Equal(t, w.app.asked[dies], w.app.asked[dies+1])
			assert.Equal(t, map[ledger.FindingKind]int{ledger.FindingOrphan: 25 * pages}, w.found(t))
			assert.Len(t, w.runs.resumed, 25*pages)
			again, err := w.goOn()
			require.NoError(t, err)
			assert.Equal(t, p.State, again.State, "it has ended")
			assert.Len(t, w.app.asked, pages+1)
		})
	}
}

// Whatever is wrong with a list, nothing is concluded from it, and the next right one is
// believed.
func TestNothingIsConcludedFromAListThatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		wrong func(p *paged)
		state ledger.ScanState
		why   string
	}{
		"a page is lost":   {func(p *paged) { p.change("page 1", func(page *connector.Page) { page.Next = "page 3" }) }, ledger.ScanSuspicious, reconcile.Contradicts},
		"the rest is lost": {func(p *paged) { p.change("page 2", func(page *connector.Page) { page.Next = "" }) }, ledger.ScanSuspicious, reconcile.Contradicts},
		"the rest is lost, and the app does not count": {func(p *paged) {
			p.change("page 2", func(page *connector.Page) { page.Next, page.Total = "", -1 })
		}, ledger.ScanSuspicious, reconcile.Shrank},
		"the app says that it has more": {func(p *paged) { p.change("page 5", func(page *connector.Page) { page.Total++ }) }, ledger.ScanSuspicious, reconcile.Contradicts},
		"a page is repeated for ever":   {func(p *paged) { p.change("page 2", func(page *connector.Page) { page.Next = "page 2" }) }, ledger.ScanFailed, string(connector.KindContradictory)},
		"it is empty":                   {func(p *paged) { p.pages[""] = connector.Page{Total: -1} }, ledger.ScanSuspicious, reconcile.Shrank},
		"the app will not list": {func(p *paged) {
			p.fails = func(string) error {
				return &connector.Error{Kind: connector.KindUnsupported, Op: connector.OpPage, Message: "x"}
			}
		}, ledger.ScanFailed, string(connector.KindUnsupported)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t, newPaged(t, 6))
			for i := range 3 { // accounts that are somebody's, and would be missing
				id, person := fmt.Sprintf("%02d-07", i+2), fmt.Sprint("p", i)
				require.NoError(t, w.Ledger.FinishStep(t.Context(), ledger.Outcome{
					PersonID: person, App: "wiki", Key: "k", Kind: "Provision", At: w.now, State: ledger.StepDone,
					Link: &ledger.Link{AccountID: id, Username: id, State: ledger.LinkActive, ProvenAt: w.now},
				}))
			}
			w.scan(t, ledger.ScanDone, "")
			before, resumed := w.found(t), len(w.runs.resumed)
			require.Equal(t, map[ledger.FindingKind]int{ledger.FindingOrphan: 147}, before)
			right := w.app.pages
			w.app.pages = map[string]connector.Page{}
			maps.Copy(w.app.pages, right)
			c.wrong(w.app)
			for range 2 {
				w.scan(t, c.state, c.why)
				assert.Equal(t, before, w.found(t))
				assert.Len(t, w.runs.resumed, resumed, "nobody is told of anything")
			}
			w.app.pages, w.app.fails = right, nil
			w.scan(t, ledger.ScanDone, "")
			assert.Equal(t, before, w.found(t))
		})
	}
}

// A page that comes again, with accounts that another page had, counts once.
func TestAccountsOfAPageThatIsRepeatedCountOnce(t *testing.T) {
	w := newWatched(t, newPaged(t, 4))
	again := w.app.pages["page 1"]
	again.Next = "page 2"
	w.app.pages["once more"] = again
	w.app.change("page 1", func(page *connector.Page) { page.Next = "once more" })
	w.scan(t, ledger.ScanDone, "")
	assert.Equal(t, map[ledger.FindingKind]int{ledger.FindingOrphan: 100}, w.found(t))
}
