package scale

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// A family is a manager, seven people who work for them, and two leavers whose accounts are
// kept. A company is many families.
const (
	workers    = 8 // with the manager
	leavers    = 2
	familySize = workers + leavers
)

// The IDs of the first family begin with these, which are in all texts about them. A copy has
// another number.
const (
	workerMark = "w000000"
	leaverMark = "l000000"
)

const manager = workerMark + "-0"

// apps lists the apps in which everybody has an account.
var apps = []string{"directory", "mail", "chat", "wiki"}

// retained is for how long the accounts of leavers are kept.
const retained = 400 * 24 * time.Hour

// house is the product on a ledger, with apps in memory.
type house struct {
	ledger ledger.Ledger
	engine *provision.Engine
}

func openHouse(ctx context.Context, l ledger.Ledger) (*house, error) {
	rules := policy.Rules{
		Apps: map[string]policy.AppRules{},
		Roles: []policy.Role{
			{Name: "everyone", When: "true"},
			{Name: "engineering", When: "person.department == 'Engineering'"},
			{Name: "sales", When: "person.department == 'Sales'"},
		},
		Leaver: policy.LeaverRules{Retain: retained, Delete: true},
	}
	open := map[string]*provision.App{}
	for _, name := range apps {
		memory.Shared("scale/" + name).Reset()
		c, err := memory.Kind.Open(ctx, connector.Env{App: name}, connector.Settings{"name": "scale/" + name})
		if err != nil {
			return nil, err
		}
		open[name] = &provision.App{Connector: c}
		rules.Apps[name] = policy.AppRules{Attributes: map[string]string{
			"displayName": "person.givenName + ' ' + person.familyName",
			"title":       "person.jobTitle",
			"department":  "person.department",
		}}
		for i, entitlement := range []string{"staff", "engineers", "sales"} {
			rules.Roles[i].Grants = append(rules.Roles[i].Grants, policy.Grant{App: name, Entitlements: []string{entitlement}})
		}
	}
	compiled, err := policy.Compile(rules)
	if err != nil {
		return nil, err
	}
	return &house{ledger: l, engine: &provision.Engine{
		Ledger: l, Policy: compiled, Apps: open, Clock: clock.Real(), Log: zap.NewNop(), AttentionAfter: time.Minute, Recheck: time.Hour,
		Breaker: limits(),
	}}, nil
}

// limits count everything and hold nothing.
func limits() *ledger.Limits {
	l := &ledger.Limits{Window: 24 * time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{}}
	for _, kind := range ledger.WithdrawalKinds() {
		l.Of[kind] = ledger.Limit{Share: 1, Count: 1_000_000}
	}
	return l
}

// on returns the same apps and rules on another ledger, or on the same one opened again.
func (h *house) on(l ledger.Ledger) *house {
	e := h.engine
	return &house{ledger: l, engine: &provision.Engine{
		Ledger: l, Policy: e.Policy, Apps: e.Apps, Clock: e.Clock, Log: e.Log, AttentionAfter: e.AttentionAfter, Recheck: e.Recheck,
		Breaker: e.Breaker,
	}}
}

// found records a family, and does all that is to be done for them.
func (h *house) found(ctx context.Context) error {
	for i := range workers {
		id := fmt.Sprintf("%s-%d", workerMark, i)
		if err := h.live(ctx, hired(id)); err != nil {
			return err
		}
	}
	for i := range leavers {
		id := fmt.Sprintf("%s-%d", leaverMark, i)
		for _, e := range []hr.Event{hired(id), hrevents.Left(id)} {
			if err := h.live(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// live records an event, and does what is to be done.
func (h *house) live(ctx context.Context, e hr.Event) error {
	if err := h.record(ctx, e); err != nil {
		return err
	}
	return h.settle(ctx, e.PersonID)
}

// record does what the starter does with an event.
func (h *house) record(ctx context.Context, e hr.Event) error {
	receipts, err := h.ledger.Record(ctx, []ledger.Received{{Event: e, At: time.Now()}})
	if err != nil {
		return err
	}
	return h.ledger.MarkDelivered(ctx, []int64{receipts[0].Seq})
}

// mostRounds bounds how often a person is assessed for one event.
const mostRounds = 20

// settle does what a person's run does until nothing is to be done now.
func (h *house) settle(ctx context.Context, person string) error {
	for range mostRounds {
		a, err := h.engine.Assess(ctx, person)
		if err != nil {
			return err
		}
		if len(a.Todo) == 0 {
			return nil
		}
		for _, todo := range a.Todo {
			_, _, err := h.engine.Apply(ctx, provision.Attempt{PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: person})
			if err != nil {
				return fmt.Errorf("%s of %s: %w", todo.Key, person, err)
			}
		}
	}
	return fmt.Errorf("something is still to be done for %s", person)
}

func hired(person string) hr.Event {
	return hrevents.Event(person, hr.EventHired, profile(person, manager, "Engineering", "Engineer"))
}

func moved(person string) hr.Event {
	return hrevents.Event(person, hr.EventTransferred, profile(person, manager, "Sales", "Account manager"))
}

func profile(person, manager, department, title string) *hr.Profile {
	if person == manager {
		manager = ""
	}
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace" + person, WorkEmail: person + "@example.com", EmployeeNumber: person,
		JobTitle: title, Department: department, CostCenter: "4711", Company: "Example",
		Location: hr.Location{Site: "London", Country: "GB", TimeZone: "UTC"}, ManagerID: manager, StartDate: hr.Date{Year: 2020, Month: 1, Day: 1},
	}
}
