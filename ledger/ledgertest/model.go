package ledgertest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// model is a very simple ledger in memory: one person's events, due time, links and steps.
// It does not handle repeated calls.
type model struct {
	id       string
	events   []ledger.StoredEvent
	summary  ledger.Summary // as the last assessment left it, with the due time
	saves    int            // assessments saved
	changes  int            // ... and everything else from outside that made the person due
	nudges   []nudge        // those that no saved assessment has seen
	links    map[string]ledger.Link
	steps    map[string]*ledger.Step // in every state
	trying   map[string]time.Time    // when the first attempt began, by step key
	attempts []modelAttempt          // attempts without an outcome
	audit    []ledger.AuditRow
}

// nudge is an action of a manager or an operator that made the person due.
type nudge struct {
	at     time.Time
	number int    // ascending, over all people
	what   string // the reason
}

type modelAttempt struct {
	id       int64
	key, app string
	deadline time.Time
	gives    bool
}

// sight holds what an assessment saw when it read the person.
type sight struct {
	summary ledger.Summary
	saves   int
	changes int
	nudges  int // number of the last nudge
}

func newModel(id string) *model {
	return &model{
		id: id, summary: ledger.Summary{PersonID: id},
		links: map[string]ledger.Link{}, steps: map[string]*ledger.Step{}, trying: map[string]time.Time{},
	}
}

// person returns the person whom the ledger should return. Other tests compare managers and
// the revision.
func (m *model) person() ledger.Person {
	p := ledger.Person{Summary: m.summary, Events: m.events}
	for _, app := range slices.Sorted(maps.Keys(m.links)) {
		p.Links = append(p.Links, m.links[app])
	}
	for _, s := range m.steps {
		switch s.State {
		case ledger.StepOpen, ledger.StepAttention, ledger.StepSkipped:
			step := *s
			step.TryingSince = m.trying[s.Key]
			p.Steps = append(p.Steps, step)
		case ledger.StepDone, ledger.StepSuperseded:
		}
	}
	slices.SortFunc(p.Steps, func(a, b ledger.Step) int { return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Key, b.Key)) })
	return p
}

func (m *model) record(e ledger.StoredEvent) {
	m.events = append(m.events, e)
	m.changes++
	m.summary.LastSeq = e.Seq
	m.makeDue(e.At, "event")
}

func (m *model) nudge(n nudge) {
	m.nudges = append(m.nudges, n)
	m.changes++
	m.makeDue(n.at, n.what)
}

func (m *model) makeDue(when time.Time, what string) {
	if m.summary.DueAt.IsZero() || !m.summary.DueAt.Before(when) {
		m.summary.DueAt, m.summary.DueWhat = when, what
	}
}

// save saves an assessment. It returns false if another one was saved first.
func (m *model) save(seen sight, a ledger.Assessment) bool {
	if seen.saves != m.saves {
		return false
	}
	lastSeq := m.summary.LastSeq
	m.summary = a.Summary
	m.summary.LastSeq, m.summary.Seen = lastSeq, a.Summary.LastSeq
	m.saves++
	m.changes++
	if last := len(m.nudges) - 1; last >= 0 && m.nudges[last].number > seen.nudges {
		m.makeDue(m.nudges[0].at, m.nudges[last].what)
	}
	m.nudges = nil
	for _, e := range m.events {
		if e.Seq > seen.summary.LastSeq {
			m.makeDue(e.At, "event")
			break
		}
	}
	for _, l := range a.Planned {
		if old, ok := m.links[l.App]; !ok || old.State == ledger.LinkDeleted {
			m.links[l.App] = ledger.Link{
				PersonID: m.id, App: l.App, Username: l.Username, State: ledger.LinkPlanned,
				ChangedAt: old.ChangedAt, GaveAt: old.GaveAt,
			}
		}
	}
	for _, key := range a.LapsedSkips {
		if s, ok := m.steps[key]; ok && s.State == ledger.StepSkipped {
			s.State = ledger.StepSuperseded
		}
	}
	m.plan(a.Steps, a.Summary.AssessedAt)
	return true
}

func (m *model) plan(planned []ledger.Step, now time.Time) {
	for key, s := range m.steps {
		wanted := slices.ContainsFunc(planned, func(p ledger.Step) bool { return p.Key == key })
		if !wanted && (s.State == ledger.StepOpen || s.State == ledger.StepAttention) {
			s.State = ledger.StepSuperseded
		}
	}
	for _, p := range planned {
		again := p.State == ledger.StepAttention // a question that is asked again
		if s, ok := m.steps[p.Key]; !ok || s.State == ledger.StepDone || s.State == ledger.StepSuperseded || again && s.State == ledger.StepOpen {
			p.PersonID, p.PlannedAt = m.id, now
			p.State = cmp.Or(p.State, ledger.StepOpen)
			delete(m.trying, p.Key)
			m.steps[p.Key] = &p
		}
	}
}

// begin returns what the ledger should answer to the attempt. seen is what Attempt.Ahead goes by.
func (m *model) begin(a ledger.Attempt, seen sight, id int64) ledger.Begun {
	untried := a.Ahead != nil && m.links[a.App].Untouched() && !m.tried(a.App)
	asRead := untried && seen.changes == m.changes
	if untried && !asRead && a.Ahead.OrNone {
		return ledger.Begun{Link: m.links[a.App], Untried: true}
	}
	m.attempts = slices.DeleteFunc(m.attempts, func(old modelAttempt) bool { return old.app == a.App && !old.deadline.After(a.At) })
	var doubt time.Time
	for _, other := range m.attempts {
		if other.app == a.App && other.key != a.Key && other.gives && other.deadline.After(a.At) && other.deadline.After(doubt) {
			doubt = other.deadline
		}
	}
	s, ok := m.steps[a.Key]
	if !ok {
		s = &ledger.Step{PersonID: m.id, Key: a.Key, App: a.App, Kind: a.Kind, State: ledger.StepOpen, PlannedAt: a.At}
		m.steps[a.Key] = s
	}
	s.Attempts++
	s.LastAttemptAt = a.At
	m.attempts = append(m.attempts, modelAttempt{id: id, key: a.Key, app: a.App, deadline: a.Deadline, gives: a.Gives})
	if m.trying[a.Key].IsZero() {
		m.trying[a.Key] = a.At
	}
	unproven := false
	for _, other := range m.steps {
		if other.Key == a.Key {
			unproven = unproven || other.Attempts > 1
		} else if other.App == a.App {
			unproven = unproven || other.LastAttemptAt.After(m.links[a.App].ProvenAt)
		}
	}
	before, linked := m.links[a.App]
	if after := before; linked && a.May != nil {
		after.ChangedAt, after.Unsure.State = later(before.ChangedAt, a.Deadline), before.Unsure.State || a.May.State
		if a.Gives {
			after.GaveAt = later(before.GaveAt, a.Deadline)
		}
		m.links[a.App] = after
	}
	if asRead && a.Ahead.Creating.Pending() {
		after := m.links[a.App]
		after.Creating = a.Ahead.Creating
		m.links[a.App] = after
	}
	return ledger.Begun{Attempt: id, Link: before, DoubtUntil: doubt, TryingSince: m.trying[a.Key], Unproven: unproven, AsRead: asRead, Untried: untried}
}

// tried reports whether a step in an app was attempted.
func (m *model) tried(app string) bool {
	for _, s := range m.steps {
		if s.App == app && s.Attempts > 0 {
			return true
		}
	}
	return slices.ContainsFunc(m.attempts, func(a modelAttempt) bool { return a.app == app })
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (m *model) finish(o ledger.Outcome) {
	m.attempts = slices.DeleteFunc(m.attempts, func(a modelAttempt) bool {
		return !o.InDoubt && a.key == o.Key && (o.Attempt == 0 || o.Attempt == a.id)
	})
	s, ok := m.steps[o.Key]
	if !ok {
		s = &ledger.Step{
			PersonID: m.id, Key: o.Key, App: o.App, Kind: o.Kind, State: ledger.StepSuperseded, PlannedAt: o.At,
		}
		m.steps[o.Key] = s
	}
	if s.State == ledger.StepOpen && o.State == ledger.StepAttention {
		m.audit = append(m.audit, ledger.AuditRow{
			At: o.At, PersonID: m.id, App: o.App, Action: ledger.AuditNeedsAttention, Actor: ledger.ActorTenure,
			Detail: map[string]any{"step": o.Kind, "code": o.Code, ledger.DetailDepartment: m.summary.Department},
		})
	}
	if s.State == ledger.StepOpen || s.State == ledger.StepAttention {
		s.State, s.Code, s.Message = o.State, o.Code, o.Message
	}
	if o.Link != nil {
		m.links[o.App] = *o.Link
	}
	if link, ok := m.links[o.App]; ok && o.Attributes != nil {
		link.Attributes = *o.Attributes
		m.links[o.App] = link
	}
	if o.Audit != nil {
		row := *o.Audit
		if o.Link != nil {
			detail := map[string]any{ledger.DetailState: string(o.Link.State), ledger.DetailHas: []any{}}
			for _, name := range o.Link.Entitlements {
				detail[ledger.DetailHas] = append(detail[ledger.DetailHas].([]any), name)
			}
			maps.Copy(detail, row.Detail)
			row.Detail = detail
		}
		m.audit = append(m.audit, row)
	}
}

// act applies an operator's action. It returns false if there is no such step.
func (m *model) act(a ledger.Action) bool {
	s, ok := m.steps[a.Key]
	if !ok {
		return false
	}
	switch {
	case a.Verb == ledger.VerbSkip && s.State != ledger.StepDone:
		s.State, s.Reason, s.FinishedAt = ledger.StepSkipped, a.Reason, a.At
	case a.Verb == ledger.VerbRetry && (s.State == ledger.StepAttention || s.State == ledger.StepSkipped):
		s.State, s.Reason, s.FinishedAt = ledger.StepOpen, "", time.Time{}
		delete(m.trying, a.Key)
	}
	m.audit = append(m.audit, ledger.AuditRow{
		At: a.At, PersonID: m.id, App: a.App, Action: string(a.Verb), Actor: a.Operator, Cause: a.Reason,
		Detail: map[string]any{"step": a.Key},
	})
	return true
}
