package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/plan"
)

// Access is what had to change for one person in one app, and how it went.
type Access struct {
	Person  string    `json:"person"`
	App     string    `json:"app"`
	Account string    `json:"account,omitempty"` // the app's own ID
	Because string    `json:"because,omitempty"` // the cause on the record
	Due     time.Time `json:"due"`               // when it had to be
	// Intent is when Tenure planned it, and Attempts how often it tried; zero if the ledger does
	// not say any more, because it was planned again since.
	Intent   time.Time `json:"intent,omitzero"`
	Attempts int       `json:"attempts,omitempty"`

	Done       *Proof   `json:"done,omitempty"`       // that it is off, on, or as was wanted
	Stripped   *Proof   `json:"stripped,omitempty"`   // that no entitlement is left
	HandedOver *Proof   `json:"handedOver,omitempty"` // that the data have another owner
	Deleted    *Proof   `json:"deleted,omitempty"`    // that there is no account
	Granted    []string `json:"granted,omitempty"`
	Revoked    []string `json:"revoked,omitempty"`

	Before  bool             `json:"before,omitempty"` // it was so before it had to be
	Open    bool             `json:"open,omitempty"`   // it is not proven
	Again   time.Time        `json:"again,omitzero"`   // it was not done before they were employed again, from then on
	Seconds int64            `json:"seconds"`          // from when it had to be, and HR had recorded it, to the proof
	Late    bool             `json:"late,omitempty"`   // that took longer than it may
	Minutes map[string]int64 `json:"minutes"`          // from when it had to be to the proof, in seconds, by whose they were
	Rows    []int64          `json:"rows"`             // of the record
}

// Proof is one proof of something.
type Proof struct {
	At     time.Time `json:"at"`
	Row    int64     `json:"row"` // of the record
	Action string    `json:"action"`
	By     string    `json:"by"`  // who did it: "tenure" or a human
	How    string    `json:"how"` // how it is known
}

// proofOf returns what a row proves.
func (s *subject) proofOf(row ledger.AuditRow, account string) *Proof {
	p := &Proof{At: row.At, Row: row.Seq, Action: row.Action, By: row.Actor}
	if account == "" {
		account = "of the person"
	}
	state, _ := report.StateAfter(row)
	shows := map[ledger.LinkState]string{
		ledger.LinkActive: "showed account %s enabled", ledger.LinkDisabled: "showed account %s disabled", ledger.LinkDeleted: "showed that there is no account %s",
	}[state]
	if shows == "" {
		shows = "showed account %s as it had to be"
	}
	switch row.Action {
	case "stripped":
		shows = "showed account %s without entitlements"
	case "handed_over":
		shows = "showed what account %s had with its new owner"
	}
	how := "the app, read again, " + fmt.Sprintf(shows, account)
	if row.Actor == ledger.ActorTenure {
		p.How = how
		return p
	}
	task, ok := s.taskOf(row)
	if !ok {
		p.How = fmt.Sprintf("%s did it; %s", row.Actor, how)
		return p
	}
	p.How = fmt.Sprintf("%s said so in %s: %s", task.DoneBy, task.Name(), task.Proof)
	if task.SecondPerson && task.EndedBy != "" {
		p.How += fmt.Sprintf("; %s confirmed it", task.EndedBy)
	}
	return p
}

// taskOf returns the task by which a human did what a row tells of: the last one in that app that
// was finished by then.
func (s *subject) taskOf(row ledger.AuditRow) (found ledger.Task, ok bool) {
	for _, t := range s.tasks {
		if t.App == row.App && t.State == ledger.TaskDone && !t.EndedAt.After(row.At) && !t.DoneAt.After(row.At) {
			found, ok = t, true
		}
	}
	return found, ok
}

// account returns the account of a person in an app.
func (s *subject) account(app string) string {
	for _, l := range s.Links {
		if l.App == app {
			if l.AccountID == "" {
				return l.Binned.AccountID
			}
			return l.AccountID
		}
	}
	return ""
}

// takenFrom returns what had to be taken from a leaver, by app: each account that was there when
// they left, or came to be there afterwards. Next is when their next employment begins.
func (k *maker) takenFrom(s *subject, m Moment, next time.Time) []Access {
	byApp, since := map[string]*Access{}, map[string]time.Time{} // since when rows tell of the end
	for _, had := range report.AccessAt(s.rows, m.At.Add(-time.Microsecond)) {
		a := &Access{Person: s.PersonID, App: had.App, Due: m.At, Open: true}
		byApp[had.App], since[had.App] = a, m.At
		if had.State == ledger.LinkDisabled {
			a.Before, a.Open, since[had.App] = true, false, had.Since
		}
	}
	for _, row := range s.rows {
		from, known := since[row.App]
		if !known {
			from = m.At
		}
		if row.App == "" || row.At.Before(from) || !next.IsZero() && !row.At.Before(next) || row.At.After(k.Now) {
			continue
		}
		state, tells := report.StateAfter(row)
		a := byApp[row.App]
		if a == nil {
			if !tells || state == ledger.LinkDeleted {
				continue
			}
			a = &Access{Person: s.PersonID, App: row.App, Due: m.At, Open: true}
			byApp[row.App] = a
		}
		a.follow(s, row, state, tells)
	}
	apps := make([]string, 0, len(byApp))
	for app := range byApp {
		apps = append(apps, app)
	}
	slices.Sort(apps)
	all := make([]Access, 0, len(apps))
	for _, app := range apps {
		a := byApp[app]
		a.Account = s.account(app)
		if a.Open && !next.IsZero() && !next.After(k.Now) {
			a.Open, a.Again = false, next.UTC()
		}
		k.judge(s, a, m, plan.Disable, plan.Delete)
		all = append(all, *a)
	}
	return all
}

// follow notes what a row proves about an account that is to go.
func (a *Access) follow(s *subject, row ledger.AuditRow, state ledger.LinkState, tells bool) {
	off := tells && state != ledger.LinkActive
	has, noted := row.Detail[ledger.DetailHas].([]any)
	switch {
	case tells && !off && a.Done != nil:
		a.Rows = append(a.Rows, row.Seq) // it is on again
		a.Open, a.Done, a.Before = true, nil, false
	case off && a.Done == nil:
		a.done(s, row)
	}
	if off && noted && len(has) == 0 && a.Stripped == nil {
		a.Stripped = s.proofOf(row, s.account(a.App))
	}
	if row.Action == "handed_over" && a.HandedOver == nil {
		a.HandedOver = s.proofOf(row, s.account(a.App))
	}
	if tells && state == ledger.LinkDeleted && a.Deleted == nil {
		a.Deleted = s.proofOf(row, s.account(a.App))
	}
}

// done notes the proof of what had to be done.
func (a *Access) done(s *subject, row ledger.AuditRow) {
	a.Open, a.Done, a.Because = false, s.proofOf(row, s.account(a.App)), row.Cause
}

// givenTo returns what a joiner got because they joined, by app.
func (k *maker) givenTo(s *subject, m Moment, p hr.Period) (all []Access) {
	seen := map[string]bool{}
	for _, row := range s.named[p.Opened.ID] {
		state, tells := report.StateAfter(row)
		if !tells || state != ledger.LinkActive || seen[row.App] || row.Action == "updated" {
			continue
		}
		seen[row.App] = true
		a := Access{Person: s.PersonID, App: row.App, Account: s.account(row.App), Due: m.At, Granted: texts(row.Detail[ledger.DetailHas])}
		a.done(s, row)
		a.Before = row.At.Before(m.At)
		k.judge(s, &a, m, plan.Provision)
		all = append(all, a)
	}
	for _, step := range s.steps {
		if step.Kind != string(plan.Provision) || seen[step.App] || step.State != ledger.StepOpen && step.State != ledger.StepAttention {
			continue
		}
		seen[step.App] = true
		a := Access{Person: s.PersonID, App: step.App, Due: m.At, Open: true}
		k.judge(s, &a, m, plan.Provision)
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Access) int { return strings.Compare(a.App, b.App) })
	return all
}

// movedBy returns what was given and taken because somebody moved. Only the first change in an app is
// measured: what is changed later because of the same event had not waited for it.
func (k *maker) movedBy(s *subject, m Moment, rows []ledger.AuditRow) (all []Access) {
	measured := map[string]bool{}
	for _, row := range rows {
		a := Access{
			Person: m.Person, App: row.App, Account: s.account(row.App), Because: row.Cause, Due: m.At,
			Granted: texts(row.Detail["granted"]), Revoked: texts(row.Detail["revoked"]), Before: row.At.Before(m.At), Minutes: map[string]int64{}, Rows: k.cite(row),
		}
		a.Done = s.proofOf(row, a.Account)
		if !measured[row.App] {
			measured[row.App] = true
			k.judge(s, &a, m, plan.Provision, plan.Update, plan.Disable)
		}
		all = append(all, a)
	}
	return all
}

// measure says how long something took, and whose time it was.
func (k *maker) measure(a *Access, c figures.Course) {
	took := c.Proven.Sub(latest(c.Due, c.Recorded))
	a.Seconds, a.Late, a.Minutes = seconds(took), took > k.Within, inSeconds(c)
}

// judge says how long something took, and whose time it was.
func (k *maker) judge(s *subject, a *Access, m Moment, kinds ...plan.Kind) {
	c := figures.Course{Due: m.At, Recorded: m.HR.Recorded, Received: m.HR.Received, Proven: k.Now}
	switch {
	case a.Done != nil:
		c.Proven = a.Done.At
	case !a.Again.IsZero():
		c.Proven = a.Again
	}
	cited := []ledger.AuditRow{}
	for _, step := range s.steps {
		fits := a.Done != nil && step.FinishedAt.Equal(a.Done.At) || a.Open && (step.State == ledger.StepOpen || step.State == ledger.StepAttention)
		if step.App == a.App && fits && slices.Contains(kinds, plan.Kind(step.Kind)) {
			a.Intent, a.Attempts = step.PlannedAt, step.Attempts
			c.Began = step.TryingSince
			if step.Attempts > 1 {
				c.Down = append(c.Down, figures.Span{From: step.TryingSince, Until: step.LastAttemptAt})
			}
		}
	}
	var asked time.Time
	for _, row := range s.rows {
		if a.Done != nil && row.At.After(a.Done.At) && row.Seq != a.Done.Row || row.At.Before(m.At) && (a.Done == nil || row.Seq != a.Done.Row) {
			continue
		}
		switch {
		case row.App == a.App && row.Action == ledger.AuditNeedsAttention && asked.IsZero() && isOf(row, kinds):
			asked = row.At
			c.Down = append(c.Down, figures.Span{From: latest(a.Intent, m.At), Until: row.At})
			cited = append(cited, row)
		case row.App == a.App && (row.Action == "retry" || row.Action == "skip") && !asked.IsZero():
			c.Human = append(c.Human, figures.Span{From: asked, Until: row.At})
			asked = time.Time{}
			cited = append(cited, row)
		case row.Action == "release":
			cited = append(cited, row)
		}
		if a.Done != nil && row.Seq == a.Done.Row {
			cited = append(cited, row)
			if held, ok := row.Detail[ledger.DetailCohort].(string); ok {
				c.Human = append(c.Human, k.held(s, held))
			}
		}
	}
	if !asked.IsZero() {
		c.Human = append(c.Human, figures.Span{From: asked, Until: c.Proven})
	}
	for _, t := range s.tasks {
		if t.App == a.App && slices.Contains(kinds, plan.Kind(t.Kind)) {
			until := t.EndedAt
			if until.IsZero() {
				until = c.Proven
			}
			c.Human = append(c.Human, figures.Span{From: t.OpenedAt, Until: until})
		}
	}
	for _, p := range []*Proof{a.Stripped, a.HandedOver, a.Deleted} {
		if p != nil {
			cited = append(cited, ledger.AuditRow{Seq: p.Row, At: p.At})
		}
	}
	k.measure(a, c)
	a.Rows = slices.Compact(slices.Sorted(slices.Values(append(a.Rows, k.cite(cited...)...))))
	if a.Rows == nil {
		a.Rows = []int64{}
	}
}

// isOf reports whether the step that a row tells of is of one of these kinds.
func isOf(row ledger.AuditRow, kinds []plan.Kind) bool {
	kind, _ := row.Detail["step"].(string)
	return slices.Contains(kinds, plan.Kind(kind))
}

// held returns when a mass change held something of a person.
func (k *maker) held(s *subject, cohort string) figures.Span {
	id, _ := ledger.CohortID(cohort)
	span := figures.Span{From: k.cohorts[id].OpenedAt}
	for _, row := range s.rows {
		if row.Action == "release" && row.At.After(span.From) {
			span.Until = row.At
			break
		}
	}
	return span
}

// inSeconds returns whose time a course took, without parts of seconds: what is cut off is Tenure's.
func inSeconds(c figures.Course) map[string]int64 {
	minutes := map[string]int64{}
	var whole, sum time.Duration
	for whose, took := range c.Minutes() {
		whole += took
		if rest := took.Truncate(time.Second); rest > 0 {
			minutes[string(whose)] = int64(rest / time.Second)
			sum += rest
		}
	}
	if left := int64(whole/time.Second) - int64(sum/time.Second); left > 0 {
		minutes[string(figures.OfTenure)] += left
	}
	return minutes
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// texts returns the texts of a list in the detail of a row.
func texts(value any) (out []string) {
	list, _ := value.([]any)
	for _, v := range list {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
