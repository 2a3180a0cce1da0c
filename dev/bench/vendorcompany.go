package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/workflows"
)

// CompanyOptions say how a company is driven into the vendors.
type CompanyOptions struct {
	People int
	Parts  int // in how many parts its history is told
	// Faster is how many times as fast the time of the vendors runs, and so how many times
	// as often they may be called.
	Faster float64
	Chance vendortest.Chance // faults; none if zero
}

// VendorTotal is how many requests a vendor got for the history of a company.
type VendorTotal struct {
	Vendor  string         `json:"vendor"`
	Calls   map[string]int `json:"calls"` // by method and route
	Total   int            `json:"total"`
	Refused int            `json:"refused"` // of them because of quotas, and by chance
	Least   int            `json:"least"`
}

// companyRoles grants what the people of a made-up company have. Salesforce is for those who
// deal with customers.
func companyRoles(vendors []*vendor) policy.Rules {
	in := func(names ...string) (some []*vendor) {
		for _, v := range vendors {
			if slices.Contains(names, v.name) {
				some = append(some, v)
			}
		}
		return some
	}
	directories, all := in("entra", "google", "okta"), vendors
	const (
		makers  = "person.department in ['Development', 'Research', 'Production', 'Quality Management']"
		sellers = "person.department in ['Sales', 'Marketing']"
		support = "person.department == 'Customer Service'"
	)
	return policy.Rules{
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: grants(directories, "everybody")},
			{Name: "makers", When: makers, Grants: grants(directories, "makers")},
			{Name: "sellers", When: sellers, Grants: grants(all, "sellers")},
			{Name: "support", When: support, Grants: grants(all, "support")},
			{Name: "managers", When: "person.jobTitle.contains('Manager')", Grants: grants(directories, "managers")},
		},
		Leaver: policy.LeaverRules{Retain: time.Second, Delete: true},
	}
}

// wanted returns what a person has in a vendor by the policy of companyRoles, reckoned without
// the product.
func wanted(x company.Expected, v *vendor) (groups []string) {
	add := func(group string, salesforceToo bool) {
		if v.name != "salesforce" || salesforceToo {
			groups = append(groups, v.entitlement(group))
		}
	}
	add("everybody", false)
	switch x.Department {
	case "Development", "Research", "Production", "Quality Management":
		add("makers", false)
	case "Sales", "Marketing":
		add("sellers", true)
	case "Customer Service":
		add("support", true)
	}
	if strings.Contains(x.JobTitle, "Manager") {
		add("managers", false)
	}
	slices.Sort(groups)
	return groups
}

// paced allows so many requests a second.
func paced(perSecond float64) func(context.Context) error {
	var mu sync.Mutex
	var next time.Time
	return func(ctx context.Context) error {
		mu.Lock()
		now := time.Now()
		if next.Before(now) {
			next = now
		}
		wait := next.Sub(now)
		next = next.Add(time.Duration(float64(time.Second) / perSecond))
		mu.Unlock()
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// company drives the history of a company into the vendors, part by part, and compares them
// with what policy says in the end. It returns what is wrong.
func (r *rig) company(ctx context.Context, o CompanyOptions) (totals []VendorTotal, wrong []string, err error) {
	history := company.Generate(company.Options{
		Seed: 13, People: o.People, Start: hr.Date{Year: 2020, Month: time.January, Day: 1}, Pace: 2,
	})
	vendors, err := startVendors(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer stopVendors(vendors)
	for _, v := range vendors {
		v.door.SetQuotas(vendortest.Faster(o.Faster, v.quotas...)...)
		v.door.SetChance(o.Chance)
		v.pace = paced(v.rate * o.Faster)
	}
	t, err := r.hostVendors(ctx, vendors, companyRoles(vendors))
	if err != nil {
		return nil, nil, err
	}
	least := make([]int, len(vendors))
	events := slices.Clone(history.Events)
	slices.SortStableFunc(events, func(a, b hr.Event) int { return a.Recorded.Compare(b.Recorded) })
	for part := range slices.Chunk(events, (len(events)+o.Parts-1)/o.Parts) {
		before := make([]map[string]vendortest.Account, len(vendors))
		for i, v := range vendors {
			before[i] = v.people()
		}
		if err := t.tellAll(ctx, part); err != nil {
			return nil, nil, err
		}
		for i, v := range vendors {
			after := v.people()
			changed := maps.Clone(before[i])
			maps.Copy(changed, after)
			for person := range changed {
				least[i] += v.costs.least(before[i][person], after[person])
			}
		}
	}
	for i, v := range vendors {
		total := VendorTotal{Vendor: v.name, Calls: v.door.Counts(), Least: least[i]}
		for _, call := range v.door.Calls() {
			total.Total++
			if call.Refused {
				total.Refused++
			}
		}
		totals = append(totals, total)
		wrong = append(wrong, v.differs(history.Expected(time.Now()))...)
	}
	return totals, wrong, t.close()
}

// people returns the accounts of people, by person ID. Of several, it returns the one that is
// not deleted.
func (v *vendor) people() map[string]vendortest.Account {
	all := map[string]vendortest.Account{}
	for _, a := range v.accounts() {
		if a.PersonID != "" && (all[a.PersonID].ID == "" || all[a.PersonID].Deleted) {
			all[a.PersonID] = a
		}
	}
	return all
}

// differs says what a vendor has that policy does not say, and what it lacks.
func (v *vendor) differs(expected []company.Expected) (wrong []string) {
	at := func(x company.Expected, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s, person %s (%s): %s", v.name, x.PersonID, x.Status, fmt.Sprintf(format, args...)))
	}
	count, known := map[string]int{}, map[string]bool{}
	for _, a := range v.accounts() {
		if !a.Deleted {
			count[a.PersonID]++
		}
	}
	people := v.people()
	for _, x := range expected {
		known[x.PersonID] = true
		have, want := people[x.PersonID], wanted(x, v)
		if count[x.PersonID] > 1 {
			at(x, "has %d accounts", count[x.PersonID])
		}
		switch {
		case x.Status != hr.StatusActive || len(want) == 0:
			if have.ID != "" && have.Active && !have.Deleted {
				at(x, "can sign in")
			}
			if x.Status == hr.StatusEnded && len(have.Groups) > 0 && !have.Deleted {
				at(x, "still has %v", have.Groups)
			}
		case have.ID == "" || have.Deleted || !have.Active:
			at(x, "cannot sign in: %+v", have)
		default:
			if !slices.Equal(have.Groups, want) {
				at(x, "has %v, not %v", have.Groups, want)
			}
			if have.Title != x.JobTitle || have.Family != x.FamilyName {
				at(x, "is called %s, %s, not %s, %s", have.Family, have.Title, x.FamilyName, x.JobTitle)
			}
		}
	}
	for person := range people {
		if !known[person] {
			wrong = append(wrong, v.name+": an account of nobody's")
		}
	}
	return wrong
}

// tellAll delivers events to many people at once, and waits until nothing is left to do.
// Everybody has one run for all of theirs.
func (t *tenure) tellAll(ctx context.Context, events []hr.Event) error {
	received := make([]ledger.Received, len(events))
	for i, e := range events {
		received[i] = ledger.Received{Event: e, At: time.Now()}
	}
	receipts, err := t.ledger.Record(ctx, received)
	if err != nil {
		return err
	}
	last := map[string]int{}
	var people []string
	seqs := make([]int64, len(events))
	for i, e := range events {
		if _, known := last[e.PersonID]; !known {
			people = append(people, e.PersonID)
		}
		last[e.PersonID] = i
		seqs[i] = receipts[i].Seq
	}
	for _, person := range people {
		i := last[person]
		err := t.runs.Nudge(ctx, workflows.Nudge{PersonID: person, Seq: seqs[i], Type: workflows.TypeFor(events[i].Type), Why: "benchmark"})
		if err != nil {
			return err
		}
	}
	if err := t.ledger.MarkDelivered(ctx, seqs); err != nil {
		return err
	}
	return t.rest(ctx, people)
}

// rest waits until no run of some people is open.
func (t *tenure) rest(ctx context.Context, people []string) error {
	for _, person := range people {
		if err := t.ended(ctx, person); err != nil {
			return fmt.Errorf("person %s: %w; %s", person, err, t.waiting(context.WithoutCancel(ctx), person))
		}
	}
	return nil
}

// patience is how long one person may take after all that were waited for before.
const patience = 3 * time.Minute

// ended waits until a person's run, and those that continue it, have ended.
func (t *tenure) ended(ctx context.Context, person string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := workflows.WorkflowID(person)
	if err := t.rig.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
		return err
	}
	d, err := t.rig.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return t.ended(ctx, person)
	}
	return err
}

// waiting says what is not done for a person, for the message of an error.
func (t *tenure) waiting(ctx context.Context, person string) string {
	p, err := t.ledger.Person(ctx, person)
	if err != nil {
		return err.Error()
	}
	text := ""
	for _, s := range p.Steps {
		if s.State != ledger.StepDone {
			text += fmt.Sprintf("%s in %s is %s: %s %s; ", s.Kind, s.App, s.State, s.Code, s.Message)
		}
	}
	return text
}
