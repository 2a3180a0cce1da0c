package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// securedView is how far a suspension, or its end, is in one app.
type securedView struct {
	Person   string           `json:"person"`
	App      string           `json:"app"`
	State    ledger.LinkState `json:"state"`
	Done     bool             `json:"done"`
	ProvenAt time.Time        `json:"provenAt,omitzero"`
	Code     string           `json:"code,omitempty"`
	Message  string           `json:"message,omitempty"`
	stuck    bool             // only a human, or time, can go on
}

// line is the view for people.
func (v securedView) line() string {
	switch {
	case v.stuck || !v.Done && v.Code != "":
		return fmt.Sprintf("%s: not done: %s: %s", v.App, v.Code, v.Message)
	case !v.Done:
		return fmt.Sprintf("%s: under way", v.App)
	}
	return fmt.Sprintf("%s: %s, proven %s", v.App, v.State, instant(v.ProvenAt))
}

const securedPoll = 100 * time.Millisecond

// awaitSecured waits until every app is done with or needs attention, and shows each
// as it comes.
func (c *cli) awaitSecured(ctx context.Context, rules *policy.Policy, l ledger.Ledger, s secured) error {
	deadline := time.Now().Add(s.wait)
	shown := map[string]string{}
	tick := time.NewTicker(securedPoll)
	defer tick.Stop()
	for {
		person, err := l.Person(ctx, s.personID)
		if err != nil {
			return err
		}
		views := securedApps(person, s.kind, rules)
		c.tellSecured(views, shown)
		seen := s.seen(person.Summary)
		over := seen && !slices.ContainsFunc(views, func(v securedView) bool { return !v.Done && !v.stuck })
		if over || time.Now().After(deadline) {
			return c.concludeSecured(s, views, over)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// seen reports whether the worker has decided since the event was recorded. No clocks are
// compared: that of whoever recorded the event may be ahead. A change of status proves it;
// of somebody who was suspended before, an assessment that was under way at that moment
// counts too, and each account still has to be off.
func (s secured) seen(now ledger.Summary) bool {
	suspends := s.kind == hr.EventSuspended
	if (now.Status == hr.StatusSuspended) != suspends {
		return false
	}
	return now.Status != s.before.Status || !now.AssessedAt.Equal(s.before.AssessedAt)
}

// securedApps says how far each app is.
func securedApps(person ledger.Person, kind hr.EventType, rules *policy.Policy) []securedView {
	views := []securedView{}
	for _, link := range person.Links {
		v := securedView{Person: person.PersonID, App: link.App, State: link.State, ProvenAt: link.ProvenAt, Done: true}
		if kind == hr.EventSuspended {
			// Of an account that is only planned it has to be seen that it is not there.
			v.Done = link.State == ledger.LinkDisabled || link.State == ledger.LinkDeleted
		}
		if !v.Done && rules.ProtectsAccount(link.App, link.AccountID, link.Username) {
			v.stuck, v.Code, v.Message = true, activities.CodeProtected, "the account is protected: no automation touches it"
			views = append(views, v)
			continue
		}
		for _, step := range person.Steps {
			if step.App != link.App || kind == hr.EventSuspended && step.Kind != string(plan.Disable) || step.State == ledger.StepSkipped {
				continue
			}
			v.Done, v.Code, v.Message = false, step.Code, step.Message
			v.stuck = step.State == ledger.StepAttention || step.Code == "waiting"
			if v.stuck {
				break
			}
		}
		v.Done = v.Done || !link.DoubtUntil.IsZero() && link.State == ledger.LinkPlanned && v.Code == "" // looked, and will be again
		views = append(views, v)
	}
	return views
}

// tellSecured shows what is new, to people.
func (c *cli) tellSecured(views []securedView, shown map[string]string) {
	if c.output != formatTable {
		return
	}
	for _, v := range views {
		if line := v.line(); shown[v.App] != line {
			shown[v.App] = line
			c.say("%s\n", line)
		}
	}
}

// concludeSecured says what it came to: attention if not all is done.
func (c *cli) concludeSecured(s secured, views []securedView, over bool) error {
	done := 0
	for _, v := range views {
		if v.Done {
			done++
		}
	}
	what := "cut off"
	if s.kind == hr.EventReinstated {
		what = "reinstated"
	}
	err := c.print(views, func(p *page) {
		p.note("%s is %s in %d of %d apps", s.personID, what, done, len(views))
		if !over {
			p.note("it goes on: see tenure person show %s", quoted(s.personID))
		}
	})
	if err == nil && (done < len(views) || !over) {
		return errAttention
	}
	return err
}
