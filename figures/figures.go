package figures

import (
	"cmp"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Name names a figure.
type Name string

// The five figures.
const (
	// TimeToProvision is the time from when somebody is to have access until an app, read again,
	// shows their account enabled. The clock starts when HR recorded what gives the access, or at
	// its effective date if that is later. For what HR did not say it starts at the approval, the
	// decision or the date that gives it. It stops at the proof, by which the account has all that
	// was wanted. Accounts that were there before Tenure do not count.
	TimeToProvision Name = "time_to_provision"
	// TimeToDeprovision is the same from when access is to end, to the proof that the account is
	// disabled or gone.
	TimeToDeprovision Name = "time_to_deprovision"
	// OrphanedAccounts is the share of an app's enabled accounts that are nobody's, by the last
	// complete scan.
	OrphanedAccounts Name = "orphaned_account_rate"
	// ReviewCompletion is the share of a review's items that a human decided before it closed.
	// Items that became moot do not count, and silence is no decision.
	ReviewCompletion Name = "review_completion_rate"
	// ProvisioningErrors is the share of changes that came to need an operator, among those that
	// came to need one and those that were done and proven. A change that needs an operator twice
	// counts twice.
	ProvisioningErrors Name = "provisioning_error_rate"
)

// Names lists the figures.
func Names() []Name {
	return []Name{TimeToProvision, TimeToDeprovision, OrphanedAccounts, ReviewCompletion, ProvisioningErrors}
}

// By says by what figures are told apart.
type By string

// What figures are told apart by.
const (
	ByApp        By = "app"
	ByDepartment By = "department"
	ByMonth      By = "month"
)

// Dimensions lists what figures can be told apart by.
func Dimensions() []By { return []By{ByApp, ByDepartment, ByMonth} }

// Within is the time within which accounts are to be turned on and off, if nothing else is said.
const Within = 24 * time.Hour

// Question asks for figures.
type Question struct {
	// From and Until bound the time: at or after From, and before Until. The times to provision and
	// to deprovision count where the clock started in that time, whenever it stopped, so that what
	// is not done yet is not forgotten. Errors count when they happened, scans and reviews when they
	// ended.
	From, Until time.Time
	Now         time.Time
	By          []By
	App         string // only this app; empty: all
	Department  string // only this department; empty: all
	Within      time.Duration
	Zone        *time.Location // of months
}

// Figure is one figure, of all or of one app, department or month.
type Figure struct {
	Figure     Name   `json:"figure"`
	App        string `json:"app,omitempty"`
	Department string `json:"department,omitempty"`
	Month      string `json:"month,omitempty"` // 2027-03

	*Times
	*Share
}

// Times describes how long something took. All times are in whole seconds, rounded up.
type Times struct {
	Count   int   `json:"count"`   // what is done
	Median  int64 `json:"median"`  // half of what is done took at most so long
	P95     int64 `json:"p95"`     // 95 % took at most so long
	Longest int64 `json:"longest"` // the longest of what is done
	// Within counts what was done in time. Late counts what was not: it was done later, or is not
	// done and its time is over.
	Within int   `json:"within"`
	Late   int   `json:"late"`
	Open   int   `json:"open"`   // what is not done
	Oldest int64 `json:"oldest"` // how long the oldest of what is not done waits
	Held   int   `json:"held"`   // of what is done, what the breaker had held until an operator decided
	ByHand int   `json:"byHand"` // of what is done, what a human did in the app
	// People counts the people of whom all is done, and PeopleMedian and PeopleP95 are the times
	// until the last of their accounts. They are of all apps together.
	People       int   `json:"people,omitempty"`
	PeopleMedian int64 `json:"peopleMedian,omitempty"`
	PeopleP95    int64 `json:"peopleP95,omitempty"`
}

// Share is a part of a whole.
type Share struct {
	Part  int     `json:"part"`
	Whole int     `json:"whole"`
	Share float64 `json:"share"` // Part / Whole; 0 if there is nothing
}

// place is what figures are told apart by. What is not asked for is empty.
type place struct {
	figure                 Name
	app, department, month string
}

// Collector takes what happened, in any order but for what is said, and computes figures. What it
// keeps grows with the number of different times in seconds, and with the people whose accounts
// were turned on or off.
type Collector struct {
	q       Question
	times   map[place]*times
	shares  map[place]*Share
	waiting map[wait]waiter
}

// wait identifies what somebody waits for, and one turn of an account.
type wait struct {
	person, app string
	off         bool
	since       int64 // microseconds
}

type waiter struct {
	department string
	since      time.Time
}

// New returns a collector for a question.
func New(q Question) *Collector {
	q.Within, q.Zone = cmp.Or(q.Within, Within), cmp.Or(q.Zone, time.UTC)
	return &Collector{q: q, times: map[place]*times{}, shares: map[place]*Share{}, waiting: map[wait]waiter{}}
}

// Waiting takes what somebody waits for. It has to be called for everybody before Row.
func (c *Collector) Waiting(s ledger.Summary) {
	if ledger.IsOrphan(s.PersonID) {
		return
	}
	for app, w := range s.Waits {
		if c.holds(w.Since) && c.matches(app, s.Department) {
			c.waiting[wait{s.PersonID, app, w.Off, w.Since.UnixMicro()}] = waiter{s.Department, w.Since}
		}
	}
}

// Row takes a row of the audit record.
func (c *Collector) Row(row ledger.AuditRow) {
	department, _ := row.Detail[ledger.DetailDepartment].(string)
	if row.App == "" || !c.matches(row.App, department) {
		return
	}
	if c.holds(row.At) {
		switch {
		case row.Action == ledger.AuditNeedsAttention:
			c.share(ProvisioningErrors, row.App, department, row.At, 1, 1)
		case isChange(row):
			c.share(ProvisioningErrors, row.App, department, row.At, 0, 1)
		}
	}
	t, ok := TurnOf(row)
	if !ok || ledger.IsOrphan(t.Person) || !c.holds(t.Since) {
		return
	}
	delete(c.waiting, wait{t.Person, t.App, t.Off, t.Since.UnixMicro()})
	c.timesOf(t.Off, t.App, t.Department, t.Since).turn(t, c.q.Within)
}

// Turn is an account that was turned on or off.
type Turn struct {
	Person, App, Department string
	Off                     bool
	Since, At               time.Time // when the clock started and when it stopped
	Held, ByHand            bool
}

// TurnOf reports whether a row of the audit record says that an account was turned on or off, and
// returns that.
func TurnOf(row ledger.AuditRow) (Turn, bool) {
	text, _ := row.Detail[ledger.DetailSince].(string)
	since, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return Turn{}, false
	}
	state, _ := row.Detail[ledger.DetailState].(string)
	department, _ := row.Detail[ledger.DetailDepartment].(string)
	_, held := row.Detail[ledger.DetailCohort].(string)
	return Turn{
		Person: row.PersonID, App: row.App, Department: department, Off: state != string(ledger.LinkActive),
		Since: since.Truncate(time.Microsecond), At: row.At, Held: held, ByHand: row.Actor != ledger.ActorTenure,
	}, true
}

// isChange reports whether a row says that a step was done and proven: only such rows tell what the
// account has from then on.
func isChange(row ledger.AuditRow) bool {
	_, has := row.Detail[ledger.DetailHas]
	return has
}

// Orphans takes the orphaned-account rate of one complete scan. The last one of an app, or of an
// app and a month, counts.
func (c *Collector) Orphans(r ledger.OrphanRate) {
	if !c.holds(r.At) || !c.matches(r.App, "") || c.q.Department != "" {
		return
	}
	at := c.place(OrphanedAccounts, r.App, "", r.At)
	at.app = r.App // shares of several apps are not added before the last scan of each is known
	c.shares[at] = &Share{Part: r.Orphans, Whole: r.Accounts}
}

// Item takes an item of a review that has closed. An item about a role is of no app.
func (c *Collector) Item(r ledger.Review, i ledger.ReviewItem) {
	if !c.holds(r.ClosedAt) || c.q.Department != "" || !c.matches(i.App, "") || i.Decision == ledger.VerdictMoot {
		return
	}
	decided := 0
	if i.DecidedBy != "" && i.DecidedBy != ledger.ReviewNobody {
		decided = 1
	}
	c.share(ReviewCompletion, i.App, "", r.ClosedAt, decided, 1)
}

// Figures returns what was collected, by figure, app, department and month.
func (c *Collector) Figures() []Figure {
	for w, who := range c.waiting {
		c.timesOf(w.off, w.app, who.department, who.since).open(c.q.Now.Sub(who.since), w.person, who.since, c.q.Within)
	}
	clear(c.waiting)
	var all []Figure
	for at, t := range c.times {
		all = append(all, Figure{Figure: at.figure, App: at.app, Department: at.department, Month: at.month, Times: t.sum()})
	}
	for at, s := range c.summed() {
		if s.Whole > 0 {
			s.Share = float64(s.Part) / float64(s.Whole)
		}
		all = append(all, Figure{Figure: at.figure, App: at.app, Department: at.department, Month: at.month, Share: s})
	}
	slices.SortFunc(all, func(a, b Figure) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Names(), a.Figure), slices.Index(Names(), b.Figure)),
			cmp.Compare(a.App, b.App), cmp.Compare(a.Department, b.Department), cmp.Compare(a.Month, b.Month),
		)
	})
	return all
}

// summed adds the orphans of apps that are not told apart.
func (c *Collector) summed() map[place]*Share {
	sums := map[place]*Share{}
	for at, s := range c.shares {
		if !slices.Contains(c.q.By, ByApp) {
			at.app = ""
		}
		if sums[at] == nil {
			sums[at] = &Share{}
		}
		sums[at].Part += s.Part
		sums[at].Whole += s.Whole
	}
	return sums
}

func (c *Collector) holds(at time.Time) bool { return !at.Before(c.q.From) && at.Before(c.q.Until) }

func (c *Collector) matches(app, department string) bool {
	return (c.q.App == "" || c.q.App == app) && (c.q.Department == "" || c.q.Department == department)
}

// place returns where a figure belongs.
func (c *Collector) place(figure Name, app, department string, at time.Time) place {
	p := place{figure: figure}
	for _, by := range c.q.By {
		switch by {
		case ByApp:
			p.app = app
		case ByDepartment:
			p.department = department
		case ByMonth:
			p.month = at.In(c.q.Zone).Format("2006-01")
		}
	}
	return p
}

func (c *Collector) share(figure Name, app, department string, at time.Time, part, whole int) {
	p := c.place(figure, app, department, at)
	if c.shares[p] == nil {
		c.shares[p] = &Share{}
	}
	c.shares[p].Part += part
	c.shares[p].Whole += whole
}

func (c *Collector) timesOf(off bool, app, department string, since time.Time) *times {
	figure := TimeToProvision
	if off {
		figure = TimeToDeprovision
	}
	p := c.place(figure, app, department, since)
	if c.times[p] == nil {
		c.times[p] = newTimes(!slices.Contains(c.q.By, ByApp) && c.q.App == "")
	}
	return c.times[p]
}
