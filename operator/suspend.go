package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// Secured is a suspension, or its end, that is on the record.
type Secured struct {
	Event  hr.Event
	Seq    int64          // of the event in the ledger
	before ledger.Summary // the person, before the event was recorded
}

// Suspend cuts somebody off until they are reinstated. It records the event and tells
// the person's run, which does the work; Progress says how far that is.
func (o *Operator) Suspend(ctx context.Context, r Request, personID string) (Secured, error) {
	s, err := o.secure(ctx, Suspend, r, personID, false)
	if err != nil {
		return s, err
	}
	return s, o.deliver(ctx, s)
}

// Reinstate ends a suspension. It records the event and tells the person's run, which
// does the work; Progress says how far that is.
func (o *Operator) Reinstate(ctx context.Context, r Request, personID string) (Secured, error) {
	s, err := o.secure(ctx, Reinstate, r, personID, false)
	if err != nil {
		return s, err
	}
	return s, o.deliver(ctx, s)
}

func (o *Operator) deliver(ctx context.Context, s Secured) error {
	err := o.runs.Deliver(ctx, s.Event, s.Seq)
	if err == nil {
		err = o.ledger.MarkDelivered(ctx, []int64{s.Seq})
	}
	if err != nil {
		return &UntoldError{People: []string{s.Event.PersonID}, Err: err}
	}
	return nil
}

// secure records the event with its audit row.
func (o *Operator) secure(ctx context.Context, v Verb, r Request, personID string, breakGlass bool) (Secured, error) {
	if err := v.Check(r); err != nil {
		return Secured{}, err
	}
	if o.Policy.ProtectsPerson(personID) {
		return Secured{}, ErrProtected
	}
	person, err := o.Person(ctx, personID)
	if err != nil {
		return Secured{}, err
	}
	recorded := o.Clock.Now().Truncate(time.Microsecond)
	for _, e := range person.Events {
		if !e.At.Before(recorded) {
			// The clock of another machine is ahead. The event that is recorded last has
			// to count all the same.
			recorded = e.At.Add(time.Microsecond)
		}
	}
	event := hr.Event{
		EventKey: hr.EventKey{Source: hr.OperatorSource, ID: uuid.NewString()},
		Type:     hr.EventSuspended, PersonID: personID, Recorded: recorded, Effective: hr.DateOf(recorded.UTC()),
	}
	if v == Suspend {
		event.Suspension = &hr.Suspension{Reason: r.Reason}
	} else {
		event.Type = hr.EventReinstated
		if assess.TimelineOf(person).At(recorded).Status != hr.StatusSuspended {
			return Secured{}, refuse(fmt.Sprintf("person %s is not suspended", visible.Line(personID)), "person timeline %s", personID)
		}
	}
	receipts, err := o.ledger.Record(ctx, []ledger.Received{{
		Event: event, At: recorded,
		Audit: &ledger.AuditRow{
			Action: string(v), Actor: r.Actor, Cause: r.Reason,
			Detail: map[string]any{"source": event.Source, "event": event.ID, "breakGlass": breakGlass},
		},
	}})
	if err == nil && receipts[0].Conflict {
		err = fmt.Errorf("event %s is there already and says something else: try it again", event.ID)
	}
	if err != nil {
		return Secured{}, err
	}
	return Secured{Event: event, Seq: receipts[0].Seq, before: person.Summary}, nil
}

// SecuredApp says how far a suspension, or its end, is in one app.
type SecuredApp struct {
	PersonID string           `json:"person"`
	App      string           `json:"app"`
	State    ledger.LinkState `json:"state"`
	Done     bool             `json:"done"`
	ProvenAt time.Time        `json:"provenAt,omitzero"`
	Stuck    bool             `json:"-"` // it goes on only when a human acts, or at a later time
	Code     string           `json:"code,omitempty"`
	Message  string           `json:"message,omitempty"`
}

// Progress says how far a suspension, or its end, is in each app, and whether it is over:
// the worker has decided, and every app is done or stuck.
func (v *Viewer) Progress(ctx context.Context, s Secured) (apps []SecuredApp, over bool, err error) {
	person, err := v.Ledger.Person(ctx, s.Event.PersonID)
	if err != nil {
		return nil, false, err
	}
	apps = v.securedApps(person, s.Event.Type)
	pending := slices.ContainsFunc(apps, func(a SecuredApp) bool { return !a.Done && !a.Stuck })
	return apps, s.seen(person.Summary) && !pending, nil
}

// seen reports whether the worker has decided since the event was recorded. No clocks are
// compared: the clock of the machine that recorded the event may be ahead. A change of
// status proves it. For somebody who was suspended before, an assessment that was under
// way at that moment counts too, and each account still has to be disabled.
func (s Secured) seen(now ledger.Summary) bool {
	if (now.Status == hr.StatusSuspended) != (s.Event.Type == hr.EventSuspended) {
		return false
	}
	return now.Status != s.before.Status || !now.AssessedAt.Equal(s.before.AssessedAt)
}

func (v *Viewer) securedApps(person ledger.Person, kind hr.EventType) []SecuredApp {
	suspends := kind == hr.EventSuspended
	apps := []SecuredApp{}
	for _, link := range person.Links {
		a := SecuredApp{PersonID: person.PersonID, App: link.App, State: link.State, ProvenAt: link.ProvenAt, Done: true}
		if suspends {
			// A planned account may be in the app: it is done only when somebody has
			// looked.
			a.Done = link.State == ledger.LinkDisabled || link.State == ledger.LinkDeleted
		}
		if !a.Done && v.Policy.ProtectsAccount(link.App, link.AccountID, link.Username) {
			a.Stuck, a.Code, a.Message = true, provision.CodeProtected, "the account is protected: no automation touches it"
			apps = append(apps, a)
			continue
		}
		for _, step := range person.Steps {
			if step.App != link.App || suspends && step.Kind != string(plan.Disable) || step.State == ledger.StepSkipped {
				continue
			}
			a.Done, a.Code, a.Message = false, step.Code, step.Message
			if a.Stuck = step.State == ledger.StepAttention || step.Code == provision.CodeWaiting; a.Stuck {
				break
			}
		}
		// An app was asked, shows no account, and will be asked again.
		a.Done = a.Done || !link.DoubtUntil.IsZero() && link.State == ledger.LinkPlanned && a.Code == ""
		apps = append(apps, a)
	}
	return apps
}
