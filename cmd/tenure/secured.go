package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
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

func viewSecured(personID string, apps []operator.SecuredApp) []securedView {
	views := make([]securedView, len(apps))
	for i, a := range apps {
		views[i] = securedView{
			Person: personID, App: a.App, State: a.State, Done: a.Done, ProvenAt: a.ProvenAt, Code: a.Code, Message: a.Message, stuck: a.Stuck,
		}
	}
	return views
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
func (c *cli) awaitSecured(ctx context.Context, o *operator.Operator, s secured, said operator.Secured) error {
	deadline := time.Now().Add(s.wait)
	shown := map[string]string{}
	tick := time.NewTicker(securedPoll)
	defer tick.Stop()
	for {
		apps, over, err := o.Progress(ctx, said)
		if err != nil {
			return err
		}
		views := viewSecured(s.personID, apps)
		c.tellSecured(views, shown)
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
	if s.verb == operator.Reinstate {
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
