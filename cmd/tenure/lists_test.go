package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service"
)

// crowd is a ledger that has so many of everything that is listed. Nothing is stored: it makes entries as
// they are asked for, and counts them.
type crowd struct {
	ledger.Ledger // what is no list
	entries       int
	fails         int // the entry that cannot be read; zero: none

	page  int // the most entries that were asked for at once
	since int // entries that were read since something was shown
	first int // entries that were read before anything was
	held  int // the most of those that were read between what was shown then
	shown bool
}

var errAway = errors.New("the ledger is away")

// read returns the entries after a place, at most limit; zero: all. one makes the entry of a number.
func read[T any](c *crowd, after int64, limit int, one func(n int64) T) (found []T, err error) {
	for n := after + 1; n <= int64(c.entries) && (limit == 0 || len(found) < limit); n++ {
		if int(n) == c.fails {
			return nil, errAway
		}
		found = append(found, one(n))
	}
	c.page = max(c.page, len(found))
	c.since += len(found)
	return found, nil
}

// Write counts what was read before something is shown.
func (c *crowd) Write(p []byte) (int, error) {
	if !c.shown {
		c.first, c.shown = c.since, true
	} else {
		c.held = max(c.held, c.since)
	}
	c.since = 0
	return len(p), nil
}

func member(n int64) string { return fmt.Sprintf("p%06d", n) }

// numberOf returns the number of somebody; of nobody, zero.
func numberOf(id string) (n int64) {
	_, _ = fmt.Sscanf(id, "p%d", &n)
	return n
}

var longAgo = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// summaryOf describes somebody. Every fifth person has left.
func summaryOf(n int64) ledger.Summary {
	s := ledger.Summary{PersonID: member(n), Username: member(n), GivenName: "A", FamilyName: "B", Status: hr.StatusActive, AssessedAt: longAgo, DueAt: longAgo, DueWhat: "look"}
	if n%5 == 0 {
		s.Status = hr.StatusEnded
	}
	return s
}

func linkIn(n int64, app string) ledger.Link {
	l := ledger.Link{
		PersonID: member(n), App: app, AccountID: member(n), Username: member(n), State: ledger.LinkActive,
		Entitlements: []string{"beyond", "staff"}, CreatedAt: longAgo, ProvenAt: longAgo,
	}
	if n%5 == 0 {
		l.State, l.Entitlements, l.DisabledAt, l.StrippedAt = ledger.LinkDisabled, nil, longAgo, longAgo
	}
	return l
}

func (c *crowd) Person(_ context.Context, id string) (ledger.Person, error) {
	n := numberOf(id)
	if n == 0 || int(n) > c.entries {
		return ledger.Person{}, ledger.ErrNotFound
	}
	said := func(seq int64, kind hr.EventType, day string, p *hr.Profile) ledger.StoredEvent {
		return ledger.StoredEvent{Seq: seq, At: longAgo, Event: hr.Event{
			EventKey: hr.EventKey{Source: "workday", ID: fmt.Sprint(id, kind)}, PersonID: id, Type: kind, Recorded: longAgo, Effective: date(day), Profile: p,
		}}
	}
	person := ledger.Person{Summary: summaryOf(n), Links: []ledger.Link{linkIn(n, "chat"), linkIn(n, "wiki")}}
	person.Events = append(person.Events, said(2*n, hr.EventHired, "2025-01-01", profile("A", "B", "", "", "2025-01-01")))
	if n%5 == 0 {
		person.Events = append(person.Events, said(2*n+1, hr.EventTerminated, "2025-12-31", nil))
	}
	return person, nil
}

func (c *crowd) People(_ context.Context, after string, limit int) ([]ledger.Summary, error) {
	return read(c, numberOf(after), limit, summaryOf)
}

func (c *crowd) Links(_ context.Context, f ledger.LinkFilter) ([]ledger.Link, error) {
	if f.PersonID != "" || f.AccountID != "" {
		return nil, nil
	}
	app := f.App
	if app == "" {
		app = "wiki"
	}
	return read(c, numberOf(f.After.PersonID), f.Limit, func(n int64) ledger.Link {
		l := linkIn(n, app)
		if f.State != "" {
			l.State = f.State
		}
		return l
	})
}

func (c *crowd) Steps(_ context.Context, _ ledger.StepFilter, after ledger.StepPlace, limit int) ([]ledger.Step, error) {
	return read(c, numberOf(after.PersonID), limit, func(n int64) ledger.Step {
		return ledger.Step{PersonID: member(n), App: "wiki", Kind: "Provision", Key: "k", State: ledger.StepAttention}
	})
}

func (c *crowd) Cohorts(_ context.Context, f ledger.CohortFilter) ([]ledger.Cohort, error) {
	one := func(n int64) ledger.Cohort {
		return ledger.Cohort{ID: n, Kind: ledger.Suspensions, State: ledger.CohortOpen, People: c.entries, Held: c.entries}
	}
	if f.ID != 0 {
		return []ledger.Cohort{one(f.ID)}, nil
	}
	return read(c, f.After, f.Limit, one)
}

func (c *crowd) Withdrawals(_ context.Context, cohort int64, after string, limit int) ([]ledger.Withdrawal, error) {
	return read(c, numberOf(after), limit, func(n int64) ledger.Withdrawal {
		return ledger.Withdrawal{PersonID: member(n), Kind: ledger.Suspensions, State: ledger.WithdrawalHeld, Cohort: cohort}
	})
}

func (c *crowd) Tasks(_ context.Context, _ ledger.TaskFilter, after int64, limit int) ([]ledger.Task, error) {
	return read(c, after, limit, func(n int64) ledger.Task {
		return ledger.Task{ID: n, PersonID: member(n), App: "wiki", Kind: "Provision", State: ledger.TaskOpen, DueAt: longAgo.Add(-time.Duration(n) * time.Hour)}
	})
}

func (c *crowd) DeadLetters(_ context.Context, _ ledger.LetterFilter, after int64, limit int) ([]ledger.DeadLetter, error) {
	return read(c, after, limit, func(n int64) ledger.DeadLetter { return ledger.DeadLetter{ID: n, State: ledger.LetterOpen} })
}

func (c *crowd) Holds(_ context.Context, _ ledger.HoldFilter, after int64, limit int) ([]ledger.Hold, error) {
	return read(c, after, limit, func(n int64) ledger.Hold { return ledger.Hold{ID: n, PersonID: member(n)} })
}

func (c *crowd) Exceptions(_ context.Context, _ ledger.ExceptionFilter, after int64, limit int) ([]ledger.Exception, error) {
	return read(c, after, limit, func(n int64) ledger.Exception {
		return ledger.Exception{ID: n, PersonID: member(n), Kind: "accepted", App: "wiki"}
	})
}

func (c *crowd) Findings(_ context.Context, f ledger.FindingFilter, after int64, limit int) ([]ledger.Finding, error) {
	if f.PersonID != "" {
		return nil, nil
	}
	return read(c, after, limit, func(n int64) ledger.Finding {
		return ledger.Finding{ID: n, App: "wiki", AccountID: member(n), Kind: ledger.FindingOrphan, State: ledger.FindingOpen}
	})
}

func (c *crowd) Notices(_ context.Context, _ ledger.NoticeFilter, after int64, limit int) ([]ledger.Notice, error) {
	return read(c, after, limit, func(n int64) ledger.Notice { return ledger.Notice{ID: n, Kind: "x"} })
}

func (c *crowd) Requests(_ context.Context, _ ledger.RequestFilter, after int64, limit int) ([]ledger.Request, error) {
	return read(c, after, limit, func(n int64) ledger.Request {
		return ledger.Request{ID: n, PersonID: member(n), AskedBy: member(n), Role: "everyone", Terms: "{}", State: "denied"}
	})
}

func (c *crowd) StandIns(_ context.Context, _ ledger.StandInFilter, after int64, limit int) ([]ledger.StandIn, error) {
	return read(c, after, limit, func(n int64) ledger.StandIn {
		return ledger.StandIn{ID: n, PersonID: member(n), StandIn: member(n), EndsAt: time.Now().Add(time.Hour)}
	})
}

func (c *crowd) Reviews(_ context.Context, f ledger.ReviewFilter, after int64, limit int) ([]ledger.Review, error) {
	one := func(n int64) ledger.Review {
		return ledger.Review{ID: n, Name: "all", Terms: "{}", State: ledger.ReviewClosed, ClosedAt: longAgo}
	}
	if f.ID != 0 {
		return []ledger.Review{one(f.ID)}, nil
	}
	return read(c, after, limit, one)
}

func (c *crowd) ReviewItems(_ context.Context, f ledger.ItemFilter, after int64, limit int) ([]ledger.ReviewItem, error) {
	return read(c, after, limit, func(n int64) ledger.ReviewItem {
		return ledger.ReviewItem{Review: f.Review, Item: n, Kind: "role", PersonID: member(n), Decision: "keep", DecidedBy: member(n)}
	})
}

func (c *crowd) AuditSince(_ context.Context, after ledger.AuditPlace, limit int) ([]ledger.AuditRow, error) {
	return read(c, after.Seq, limit, func(n int64) ledger.AuditRow {
		return ledger.AuditRow{Seq: n, At: longAgo, PersonID: member(n), Action: "created", Actor: "tenure"}
	})
}

func (c *crowd) Audit(_ context.Context, id string, after int64, limit int) ([]ledger.AuditRow, error) {
	if id != "" && after == 0 {
		return []ledger.AuditRow{{Seq: 1, At: longAgo, PersonID: id, App: "wiki", Action: "created", Actor: "tenure", Detail: map[string]any{"has": []any{"staff"}}}}, nil
	}
	return nil, nil
}

// bounds says how much a list holds.
type bounds struct {
	// pages is how many pages of entries are read before a page is shown: one, or as many as
	// there are things that are read side by side, or of which not all are shown.
	pages  int
	sorted bool // all is read before anything is shown
	// counted says that all was read before, page by page, since totals come first.
	counted bool
	// why says why the list is not read here, and what bounds it.
	why string
}

// lists has every command that lists, with arguments.
var lists = map[string]bounds{
	"person list":                         {pages: 1},
	"person list --app wiki":              {pages: 2},
	"run list":                            {pages: 1},
	"run list --attention":                {pages: 1},
	"access who wiki":                     {pages: 1},
	"access who wiki beyond":              {pages: 2}, // not all have it
	"access who wiki --at 2026-11-01":     {pages: 1},
	"access creep":                        {sorted: true},
	"breaker list --all":                  {pages: 1},
	"breaker show c-1":                    {pages: 1, counted: true},
	"deletion list":                       {sorted: true},
	"dlq list --state all":                {pages: 1},
	"duty check":                          {pages: 2}, // nobody who has left has it
	"exception list --all":                {pages: 1},
	"finding list":                        {pages: 1},
	"hold list --all":                     {pages: 1},
	"notice list":                         {pages: 1},
	"request list --all":                  {pages: 1},
	"standin list --all":                  {pages: 1},
	"review list --all":                   {pages: 1},
	"review show v-1":                     {pages: 1, counted: true},
	"task list":                           {sorted: true},
	"plan":                                {pages: 1},
	"watch --from 2020-01-01 --no-follow": {pages: 1},

	"app list":       {why: "apps of the configuration"},
	"app kinds":      {why: "kinds of connector"},
	"app accounts":   {why: "all accounts of an app are compared with all people"},
	"app licences":   {why: "licences of the configured apps; the IDs of who has each are held"},
	"duty list":      {why: "rules of the configuration"},
	"figures":        {why: "figures by app, department or month"},
	"review quality": {why: "one for each reviewer"},
}

// crowded lets commands read a ledger that has so many of everything.
func crowded(t *testing.T, s *site) *crowd {
	t.Helper()
	c := &crowd{}
	before := openLedger
	t.Cleanup(func() { openLedger = before })
	openLedger = func(ctx context.Context, url string, key []byte) (l ledger.Ledger, err error) {
		c.Ledger, err = open.Peppered(ctx, url, key)
		return c, err
	}
	require.NoError(t, s.ledger().Close())
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	return c
}

// However long a list is, a page of it is held: at most a page of entries is asked for at once, and no more
// is read before it is shown.
func TestEveryListHoldsAPage(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", configuration+dutiesOfTheCrowd)
	c := crowded(t, s)
	for args, want := range lists {
		if want.why != "" {
			continue
		}
		t.Run(args, func(t *testing.T) {
			formats := []string{"json"}
			if args == "plan" { // shows people each at once
				formats = append(formats, "table")
			}
			for _, f := range formats {
				*c = crowd{entries: 3 * ledger.PageSize}
				var errs bytes.Buffer
				code := execute(t.Context(), terminal{in: strings.NewReader(""), out: c, err: &errs}, append(strings.Fields(args), "-o", f))
				require.Contains(t, []int{service.ExitDone, service.ExitAttention}, code, errs.String())
				assert.Equal(t, ledger.PageSize, c.page, "entries of a page")
				page, first := want.pages*ledger.PageSize, 0
				if want.counted {
					first = c.entries
				}
				if want.sorted {
					assert.Equal(t, c.entries, c.first, "all is read first")
					continue
				}
				assert.Greater(t, c.first, first, "as %s", f)
				assert.LessOrEqual(t, c.first, first+page, "%d entries as %s", c.entries, f)
				assert.LessOrEqual(t, c.held, page, "%d entries as %s", c.entries, f)
			}
		})
	}
}

// No list is missing above.
func TestEveryListIsCounted(t *testing.T) {
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		if cmd.Flags().Lookup("limit") == nil {
			return
		}
		name := strings.TrimPrefix(cmd.CommandPath(), "tenure ")
		for args := range lists {
			if args == name || strings.HasPrefix(args, name+" ") {
				return
			}
		}
		t.Errorf("tenure %s lists: say in this file what it holds", name)
	})
}

// A list that cannot be read to its end fails, and what was written does not pass for all of it.
func TestEveryListThatIsCutFails(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", configuration+dutiesOfTheCrowd)
	c := crowded(t, s)
	for args, want := range lists {
		if want.why != "" {
			continue
		}
		t.Run(args, func(t *testing.T) {
			f := "csv"
			if args == "plan" || args == "breaker show c-1" || strings.HasPrefix(args, "watch") {
				f = "table"
			}
			*c = crowd{entries: 2 * ledger.PageSize, fails: ledger.PageSize + 1}
			got := s.run(append(strings.Fields(args), "-o", f)...)
			assert.Equal(t, service.ExitFailed, got.code, f)
			assert.Contains(t, got.err, errAway.Error(), f)
			if want.sorted {
				assert.Empty(t, got.stdout, "nothing was shown yet")
			}
			if got.stdout != "" && !strings.HasPrefix(args, "watch") {
				assert.True(t, strings.HasSuffix(strings.TrimSpace(got.stdout), cutShort) || strings.HasSuffix(strings.TrimSpace(got.stdout), cutShort+")"), "%s: %s", f, got.stdout[max(0, len(got.stdout)-200):])
			}
		})
	}
}

const dutiesOfTheCrowd = `duties:
  - {name: both, owner: [p000001], one: [{app: chat}], other: [{app: wiki}], mode: detect, since: 2025-06-01T00:00:00Z}
`

// The people of an app are those who have an account in it, wherever the others come between them.
func TestPeopleAreListedByApp(t *testing.T) {
	s := newSite(t)
	l := s.ledger()
	recordMany(t, l, 6)
	for id, state := range map[string]ledger.LinkState{
		"100001": ledger.LinkActive, "100002": ledger.LinkDeleted, "100004": ledger.LinkDisabled,
	} {
		s.link(l, ledger.Link{PersonID: id, App: "wiki", AccountID: "a" + id, State: state, CreatedAt: longAgo})
		s.link(l, ledger.Link{PersonID: id, App: "chat", AccountID: "a" + id, State: ledger.LinkActive, CreatedAt: longAgo})
	}
	require.NoError(t, l.Close())
	listed := func(args ...string) (ids []string) {
		for _, line := range strings.Split(strings.TrimSpace(s.run(append([]string{"person", "list", "-o", "csv"}, args...)...).stdout), "\n")[1:] {
			ids = append(ids, strings.Split(line, ",")[0])
		}
		return ids
	}
	assert.Equal(t, []string{"100001", "100004"}, listed("--app", "wiki"))
	assert.Equal(t, []string{"100004"}, listed("--app", "wiki", "--after", "100002"))
	assert.Equal(t, []string{"100001", "100002", "100004"}, listed("--app", "chat"))
}
