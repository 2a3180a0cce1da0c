package evidence

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// overlaps reports whether something that began and ended is of the scope's time. A zero end is
// that of what has not ended.
func (s Scope) overlaps(began, ended time.Time) bool {
	return (s.Until.IsZero() || began.Before(s.Until)) && (ended.IsZero() || !ended.Before(s.From))
}

// Letter is a record that could not be read.
type Letter struct {
	Letter    int64              `json:"letter"`
	Topic     string             `json:"topic"`
	Partition int                `json:"partition"`
	Offset    int64              `json:"offset"`
	Received  time.Time          `json:"received"`
	Person    string             `json:"person,omitempty"`
	Reason    string             `json:"reason"`
	Field     string             `json:"field,omitempty"`
	Urgent    bool               `json:"urgent,omitempty"`
	State     ledger.LetterState `json:"state"`
	By        string             `json:"by,omitempty"`
	Why       string             `json:"why,omitempty"`
	EndedAt   time.Time          `json:"endedAt,omitzero"`
}

// readIntake writes down the records that could not be read.
func (k *maker) readIntake() error {
	if k.Review != "" {
		return nil
	}
	if k.everybody() {
		for r, err := range ledger.AllRepetitions(k.ctx, k.Ledger, k.From, k.Until) {
			if err != nil {
				return err
			}
			k.offset(r.At, r.Received, repeated)
		}
	}
	all := ledger.AllDeadLetters(k.ctx, k.Ledger, ledger.LetterFilter{PersonID: k.Person, From: k.From, Until: k.Until}, 0)
	return list(k, "letters.jsonl", all, func(l ledger.DeadLetter) (Letter, bool) {
		k.offset(l.Origin, l.ReceivedAt, refused)
		if l.Pending() {
			k.tally.letters++
		}
		return Letter{
			Letter: l.ID, Topic: l.Origin.Topic, Partition: l.Origin.Partition, Offset: l.Origin.Offset, Received: l.ReceivedAt, Person: l.PersonID,
			Reason: l.Reason, Field: l.Field, Urgent: l.Urgent, State: l.State, By: l.Operator, Why: l.Why, EndedAt: l.EndedAt,
		}, true
	})
}

// Task is what a human was asked to do in an app.
type Task struct {
	Task         string           `json:"task"`
	Person       string           `json:"person"`
	App          string           `json:"app"`
	Kind         string           `json:"kind"`
	Assignee     string           `json:"assignee"`
	SecondPerson bool             `json:"secondPerson,omitempty"`
	State        ledger.TaskState `json:"state"`
	OpenedAt     time.Time        `json:"openedAt"`
	DueAt        time.Time        `json:"dueAt"`
	DoneBy       string           `json:"doneBy,omitempty"`
	DoneLogin    string           `json:"doneLogin,omitempty"`
	DoneAt       time.Time        `json:"doneAt,omitzero"`
	Proof        string           `json:"proof,omitempty"`
	EndedBy      string           `json:"endedBy,omitempty"`
	EndedLogin   string           `json:"endedLogin,omitempty"`
	EndedAt      time.Time        `json:"endedAt,omitzero"`
	Why          string           `json:"why,omitempty"`
}

// Request is a request for access, with who was asked.
type Request struct {
	Request    string              `json:"request"`
	Person     string              `json:"person"`
	Role       string              `json:"role,omitempty"`
	Duty       string              `json:"duty,omitempty"`
	Control    string              `json:"control,omitempty"`
	ForSeconds int64               `json:"forSeconds"`
	Reason     string              `json:"reason"`
	Ticket     string              `json:"ticket,omitempty"`
	AskedBy    string              `json:"askedBy"`
	AskedAt    time.Time           `json:"askedAt"`
	Operator   string              `json:"operator"`
	Login      string              `json:"login,omitempty"`
	Emergency  bool                `json:"emergency,omitempty"`
	State      ledger.RequestState `json:"state"`
	DecidedAt  time.Time           `json:"decidedAt,omitzero"`
	Why        string              `json:"why,omitempty"`
	Exception  string              `json:"exception,omitempty"`
	ProvenAt   time.Time           `json:"provenAt,omitzero"` // when the apps showed the access
	Votes      []Vote              `json:"votes"`
}

// Vote is somebody who was asked.
type Vote struct {
	Stage     int             `json:"stage"`
	Voter     string          `json:"voter"`
	Authority string          `json:"authority"`
	AskedAt   time.Time       `json:"askedAt"`
	Vote      ledger.VoteKind `json:"vote,omitempty"`
	At        time.Time       `json:"at,omitzero"`
	Operator  string          `json:"operator,omitempty"`
	Login     string          `json:"login,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Shown     string          `json:"shown,omitempty"` // digest of what they were shown
}

// Exception is a decision by which access differs from the rules.
type Exception struct {
	Exception   string    `json:"exception"`
	Kind        string    `json:"kind"`
	Person      string    `json:"person"`
	Role        string    `json:"role,omitempty"`
	App         string    `json:"app,omitempty"`
	Entitlement string    `json:"entitlement,omitempty"`
	Duty        string    `json:"duty,omitempty"`
	Control     string    `json:"control,omitempty"`
	StartsAt    time.Time `json:"startsAt"`
	EndsAt      time.Time `json:"endsAt,omitzero"`
	Origin      string    `json:"origin"`
	Emergency   bool      `json:"emergency,omitempty"`
	DecidedAt   time.Time `json:"decidedAt"`
	DecidedBy   string    `json:"decidedBy"`
	Login       string    `json:"login,omitempty"`
	Reason      string    `json:"reason"`
	EndedAt     time.Time `json:"endedAt,omitzero"`
	EndedBy     string    `json:"endedBy,omitempty"`
	EndReason   string    `json:"endReason,omitempty"`
}

// Duty is a rule of separation of duties.
type Duty struct {
	Duty      string          `json:"duty"`
	About     string          `json:"about,omitempty"`
	Mode      policy.DutyMode `json:"mode"`
	One       []string        `json:"one"`
	Other     []string        `json:"other"`
	Owner     []string        `json:"owner"`
	Waivable  bool            `json:"waivable"`
	Conflicts int             `json:"conflicts"` // that scans have found, and that have not ended
	Waivers   int             `json:"waivers"`   // in the scope's time
}

// Finding is what a scan found to differ from the record.
type Finding struct {
	Finding string               `json:"finding"`
	App     string               `json:"app"`
	Account string               `json:"account"`
	Kind    ledger.FindingKind   `json:"kind"`
	What    string               `json:"what,omitempty"`
	Person  string               `json:"person,omitempty"`
	Enabled bool                 `json:"enabled"`
	State   ledger.FindingStatus `json:"state"`
	FoundAt time.Time            `json:"foundAt"`
	By      string               `json:"by,omitempty"` // who decided
	Reason  string               `json:"reason,omitempty"`
	EndedAt time.Time            `json:"endedAt,omitzero"`
}

// readGovernance writes down what people decided.
func (k *maker) readGovernance() error {
	if k.Review != "" {
		return nil
	}
	for _, read := range []func() error{k.readTasks, k.readRequests, k.readExceptions, k.readFindings, k.readDuties} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

// list writes down the entries of a list that are of the scope, each as the line that describe
// makes of it. describe returns false for those that are not.
func list[T, L any](k *maker, file string, entries iter.Seq2[T, error], describe func(T) (L, bool)) error {
	if _, err := k.listing(file); err != nil {
		return err
	}
	for entry, err := range entries {
		if err != nil {
			return err
		}
		line, ok := describe(entry)
		if !ok {
			continue
		}
		if err := k.emit(file, line); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readTasks() error {
	all := ledger.AllTasks(k.ctx, k.Ledger, ledger.TaskFilter{PersonID: k.Person, App: k.App})
	return list(k, "tasks.jsonl", all, func(t ledger.Task) (Task, bool) {
		return Task{
			Task: t.Name(), Person: t.PersonID, App: t.App, Kind: t.Kind, Assignee: t.Assignee, SecondPerson: t.SecondPerson, State: t.State,
			OpenedAt: t.OpenedAt, DueAt: t.DueAt, DoneBy: t.DoneBy, DoneLogin: t.DoneLogin, DoneAt: t.DoneAt, Proof: t.Proof,
			EndedBy: t.EndedBy, EndedLogin: t.EndedLogin, EndedAt: t.EndedAt, Why: t.Why,
		}, k.overlaps(t.OpenedAt, t.EndedAt)
	})
}

// gives reports whether a role gives something in the scope's app.
func (k *maker) gives(role string) bool {
	return k.App == "" || role == "" || slices.ContainsFunc(k.Policy.RoleGrants(role), func(g policy.Grant) bool { return g.App == k.App })
}

func (k *maker) readRequests() error {
	if _, err := k.listing("requests.jsonl"); err != nil {
		return err
	}
	for r, err := range ledger.AllRequests(k.ctx, k.Ledger, ledger.RequestFilter{PersonID: k.Person}, 0) {
		if err != nil {
			return err
		}
		if !k.overlaps(r.AskedAt, r.DecidedAt) || !k.gives(r.Role) {
			continue
		}
		votes, err := k.Ledger.Votes(k.ctx, r.ID)
		if err != nil {
			return err
		}
		line := Request{
			Request: r.Name(), Person: r.PersonID, Role: r.Role, Duty: r.Duty, Control: r.Control, ForSeconds: int64(r.For.Seconds()), Reason: r.Reason, Ticket: r.Ticket,
			AskedBy: r.AskedBy, AskedAt: r.AskedAt, Operator: r.Operator, Login: r.Login, Emergency: r.Emergency, State: r.State, DecidedAt: r.DecidedAt, Why: r.Why,
			ProvenAt: r.ProvenAt, Votes: []Vote{},
		}
		if r.Exception != 0 {
			line.Exception = ledger.ExceptionName(r.Exception)
		}
		for _, v := range votes {
			line.Votes = append(line.Votes, Vote{
				Stage: v.Stage, Voter: v.Voter, Authority: v.Authority, AskedAt: v.AskedAt, Vote: v.Vote, At: v.At, Operator: v.Operator, Login: v.Login,
				Reason: v.Reason, Shown: v.Shown,
			})
		}
		if err := k.emit("requests.jsonl", line); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readExceptions() error {
	k.tally.waivers = map[string]int{}
	all := ledger.AllExceptions(k.ctx, k.Ledger, ledger.ExceptionFilter{PersonID: k.Person}, 0)
	return list(k, "exceptions.jsonl", all, func(x ledger.Exception) (Exception, bool) {
		ended := x.EndedAt
		if ended.IsZero() || !x.EndsAt.IsZero() && x.EndsAt.Before(ended) {
			ended = x.EndsAt
		}
		if !k.overlaps(x.StartsAt, ended) && !k.holds(x.DecidedAt) || !k.of(x.App) || !k.gives(x.Role) {
			return Exception{}, false
		}
		if x.Duty != "" {
			k.tally.waivers[x.Duty]++
		}
		return Exception{
			Exception: x.Name(), Kind: x.Kind, Person: x.PersonID, Role: x.Role, App: x.App, Entitlement: x.Entitlement, Duty: x.Duty, Control: x.Control,
			StartsAt: x.StartsAt, EndsAt: x.EndsAt, Origin: x.Origin, Emergency: x.Emergency, DecidedAt: x.DecidedAt, DecidedBy: x.DecidedBy, Login: x.Login,
			Reason: x.Reason, EndedAt: x.EndedAt, EndedBy: x.EndedBy, EndReason: x.EndReason,
		}, true
	})
}

func (k *maker) readFindings() error {
	k.tally.conflicts = map[string]int{}
	all := ledger.AllFindings(k.ctx, k.Ledger, ledger.FindingFilter{App: k.App, PersonID: k.Person, Ended: true})
	return list(k, "findings.jsonl", all, func(f ledger.Finding) (Finding, bool) {
		if f.EndedAt.IsZero() && f.Kind == ledger.FindingDuty {
			k.tally.conflicts[f.What]++
		}
		return Finding{
			Finding: ledger.FindingName(f.ID), App: f.App, Account: f.AccountID, Kind: f.Kind, What: f.What, Person: f.PersonID, Enabled: f.Enabled, State: f.State,
			FoundAt: f.FoundAt, By: f.DecidedBy, Reason: f.Reason, EndedAt: f.EndedAt,
		}, k.overlaps(f.FoundAt, f.EndedAt)
	})
}

func (k *maker) readDuties() error {
	if _, err := k.listing("duties.jsonl"); err != nil {
		return err
	}
	for _, d := range k.Policy.Duties() {
		if !slices.ContainsFunc(slices.Concat(d.One, d.Other), func(g policy.Grant) bool { return k.of(g.App) }) {
			continue
		}
		if err := k.emit("duties.jsonl", Duty{
			Duty: d.Name, About: d.About, Mode: d.Mode, One: grants(d.One), Other: grants(d.Other), Owner: k.Policy.DutyOwner(d.Name), Waivable: d.Waive != nil,
			Conflicts: k.tally.conflicts[d.Name], Waivers: k.tally.waivers[d.Name],
		}); err != nil {
			return err
		}
	}
	return nil
}

// grants names what is given: "erp:ap-clerk,ap-approver".
func grants(all []policy.Grant) []string {
	out := []string{}
	for _, g := range all {
		out = append(out, strings.TrimSuffix(g.App+":"+strings.Join(g.Entitlements, ","), ":"))
	}
	return out
}
