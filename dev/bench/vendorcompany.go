package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/workflows"
)

// CompanyOptions say how a company is driven into the vendors.
type CompanyOptions struct {
	People int
	Parts  int // in how many parts its history is told; whoever leaves in a later one had accounts
	// PerSecond is how many requests a second the tightest quota of each vendor allows; its
	// other quotas are in proportion, as the vendor documents them. Zero: no quotas.
	PerSecond float64
	// Rest, if it is set, has a quota last for as many requests as ten seconds allow, however slow
	// the machine is, and rest for so long after them.
	Rest time.Duration
	// Faults multiplies the chances of disturbed. Zero: nothing fails, and nothing is late.
	Faults float64
	// LostFrom is the first part, from 0, in which requests are in doubt: those whose answer is
	// lost, or is a failure although the change was made. What may yet be given is waited for
	// before it is taken, for as long as an attempt may last.
	LostFrom int
	// CutOffs is how many people are cut off in the end, while quotas are used up; 0 leaves it
	// out.
	CutOffs int
}

const (
	// longestWindow is how long a quota lasts at most: vendors have windows of ten seconds to a
	// day.
	longestWindow = 10 * time.Second
	// latest is how long a vendor that lags shows what was before a change, and settlesIn is how
	// long the product is told that it may.
	latest, settlesIn = 2 * time.Second, 4 * time.Second
	// attentionAfter is the default of the configuration. What needs attention is tried again after
	// recheck, as an operator would do who sees that the vendor answers.
	attentionAfter, recheck = 15 * time.Minute, time.Minute
)

// disturbed holds the chances of faults.
var disturbed = vendortest.Chance{Seed: 13, Down: 0.01, Limited: 0.003, Proxy: 0.003, Failed: 0.01, Lost: 0.01, Wait: time.Second}

// chance returns the chances of faults in a part of the history.
func (o CompanyOptions) chance(part int) vendortest.Chance {
	if o.Faults == 0 {
		return vendortest.Chance{}
	}
	c := disturbed
	for _, rate := range []*float64{&c.Down, &c.Limited, &c.Proxy, &c.Failed, &c.Lost} {
		*rate *= o.Faults
	}
	if part < o.LostFrom {
		c.Proxy, c.Failed, c.Lost = 0, 0, 0 // a proxy's answer does not tell what became of a request
	}
	return c
}

// quotas returns the quotas of a vendor.
func (o CompanyOptions) quotas(v *vendor) []vendortest.Quota {
	if o.PerSecond == 0 {
		return nil
	}
	tight := vendortest.Tight(o.PerSecond*v.share, longestWindow, v.quotas...)
	for i := range tight {
		if o.Rest > 0 {
			tight[i].Most = int(float64(tight[i].Most) * longestWindow.Seconds() / tight[i].Per.Seconds())
			tight[i].Per, tight[i].Rest = time.Hour, o.Rest
		}
	}
	return tight
}

// rate returns how often the app of a vendor may be called by its configuration: twice as often
// as the vendor allows, so that quotas are used up.
func (o CompanyOptions) rate(v *vendor) pace.Rate {
	if o.PerSecond == 0 {
		return pace.Rate{}
	}
	return pace.Rate{Calls: max(1, int(2*o.PerSecond*v.share*longestWindow.Seconds())), Per: longestWindow}
}

// VendorTotal is how many requests a vendor got for the history of a company.
type VendorTotal struct {
	Vendor  string         `json:"vendor"`
	Calls   map[string]int `json:"calls"`   // by method and route
	Total   int            `json:"total"`   // with those that were refused
	ByQuota int            `json:"byQuota"` // of them, refused because of quotas
	Faults  int            `json:"faults"`  // ... refused by chance, or whose answer was lost or wrong
	Late    int            `json:"late"`    // ... answered with what was before a change, so that they have to be asked again
	Least   int            `json:"least"`
	// Pressed is how many requests were refused in one window of a quota, at most. Bearable is
	// how many may be: those that are under way when it is used up.
	Pressed  int           `json:"pressed"`
	Bearable int           `json:"bearable"`
	Waits    int           `json:"waits"`           // requests that waited for the app's rate or for its quota
	Waited   time.Duration `json:"waitNanoseconds"` // all of them together
}

// Answered returns how many requests were answered truly.
func (v VendorTotal) Answered() int { return v.Total - v.ByQuota - v.Faults - v.Late }

// lags are the traps of the stand-ins in which an answer shows what was before a change.
var lags = []string{
	"NotFoundReads", "StaleReads", // of Entra ID
	"SearchesLag", "NotFoundAfterCreate", "CreationIncomplete", "NamelessReads", "MembershipsLag", // of Google
	"SearchLag", // of Okta
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

// company drives the history of a company into the vendors, part by part, and compares them
// with what policy says in the end. It returns what is wrong.
func (r *rig) company(ctx context.Context, o CompanyOptions, tell func(format string, args ...any)) (c Company, err error) {
	history := company.Generate(company.Options{
		Seed: 13, People: o.People, Start: hr.Date{Year: 2020, Month: time.January, Day: 1}, Pace: 2,
	})
	vendors, err := startVendors(ctx)
	if err != nil {
		return Company{}, err
	}
	defer stopVendors(vendors)
	host := hosting{rules: companyRoles(vendors), rate: o.rate}
	if o.Faults > 0 {
		host.settling = settlesIn // else nothing is late, and nothing is looked at again
	}
	t, err := r.hostVendors(ctx, vendors, host)
	if err != nil {
		return Company{}, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	t.acts.AttentionAfter, t.acts.Recheck = attentionAfter, recheck
	for _, v := range vendors {
		v.door.SetQuotas(o.quotas(v)...)
		if o.Faults > 0 && v.late != nil {
			v.late(latest)
		}
	}
	began := time.Now()
	least := make([]int, len(vendors))
	events := slices.Clone(history.Events)
	slices.SortStableFunc(events, func(a, b hr.Event) int { return a.Recorded.Compare(b.Recorded) })
	parts := slices.Collect(slices.Chunk(events, (len(events)+o.Parts-1)/o.Parts))
	for i, part := range parts {
		tell("part %d of %d: %d events ...", i+1, len(parts), len(part))
		before := make([]map[string]vendortest.Account, len(vendors))
		for j, v := range vendors {
			before[j] = v.people()
			v.door.SetChance(o.chance(i))
		}
		if err := t.tellAll(ctx, part, func() {
			for _, v := range vendors {
				if o.Faults > 0 {
					v.endTokens() // in the midst of it
				}
			}
		}, tell); err != nil {
			return Company{}, err
		}
		for j, v := range vendors {
			after := v.people()
			changed := maps.Clone(before[j])
			maps.Copy(changed, after)
			for person := range changed {
				least[j] += v.costs.least(before[j][person], after[person])
			}
		}
	}
	c = Company{People: o.People, Events: len(events), PerSecond: o.PerSecond, Faults: o.Faults, Took: time.Since(began)}
	for i, v := range vendors {
		total := VendorTotal{
			Vendor: v.name, Calls: v.door.Counts(), Least: least[i], Pressed: v.door.Pressed(), Bearable: bearable * v.kind.CallsAtOnce(0),
		}
		for _, call := range v.door.Calls() {
			total.Total++
			switch {
			case call.ByQuota:
				total.ByQuota++
			case call.Refused:
				total.Faults++
			}
		}
		sprung := v.door.Sprung()
		for _, lag := range lags {
			total.Late += sprung[lag]
		}
		if total.Waits, total.Waited, err = t.waited(v.name); err != nil {
			return Company{}, err
		}
		c.Vendors = append(c.Vendors, total)
		c.Wrong = append(c.Wrong, v.differs(history.Expected(time.Now()))...)
	}
	if c.Attention, err = t.attention(ctx); err != nil {
		return Company{}, err
	}
	if o.CutOffs > 0 {
		c.CutOffs, err = t.cutOffAmid(ctx, vendors, o)
	}
	return c, err
}

// bearable is how often each step that calls an app at the moment may still be refused when the
// quota is used up: it goes on to its next call if it does not need the answer to one.
const bearable = 2

// Company is what became of the history of a company in the vendors.
type Company struct {
	People    int           `json:"people"`
	Events    int           `json:"events"`
	PerSecond float64       `json:"perSecond"` // see CompanyOptions
	Faults    float64       `json:"faults"`
	Took      time.Duration `json:"tookNanoseconds"`
	Vendors   []VendorTotal `json:"vendors"`
	// Wrong says what differs in the end from what policy says.
	Wrong []string `json:"wrong,omitempty"`
	// Attention is how often a step came to need an operator.
	Attention int          `json:"attention"`
	CutOffs   *AmidCutOffs `json:"cutOffs,omitempty"`
}

// waited returns how many calls of an app have waited for its rate or a pause, and how long.
func (t *tenure) waited(app string) (calls int, all time.Duration, err error) {
	families, err := t.waits.Gather()
	if err != nil {
		return 0, 0, err
	}
	for _, family := range families {
		if family.GetName() != "tenure_app_pace_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			if h := m.GetHistogram(); m.GetLabel()[0].GetValue() == app {
				shortest := h.GetBucket()[0] // these did not wait
				calls = int(h.GetSampleCount() - shortest.GetCumulativeCount())
				all = time.Duration(h.GetSampleSum() * float64(time.Second))
			}
		}
	}
	return calls, all, nil
}

// attention returns how often a step came to need an operator, by the record.
func (t *tenure) attention(ctx context.Context) (n int, err error) {
	for row, err := range ledger.AllAudit(ctx, t.ledger, "", 0) {
		if err != nil {
			return 0, err
		}
		if row.Action == ledger.AuditNeedsAttention {
			n++
		}
	}
	return n, nil
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

// tellAll delivers events to many people at once, calls amid, and waits until nothing is left to
// do.
func (t *tenure) tellAll(ctx context.Context, events []hr.Event, amid func(), tell func(format string, args ...any)) error {
	people, err := t.announce(ctx, events)
	if err != nil {
		return err
	}
	amid()
	return t.rest(ctx, people, tell)
}

// announce delivers events to many people at once, and returns who they are. Everybody has one
// run for all of theirs.
func (t *tenure) announce(ctx context.Context, events []hr.Event) (people []string, err error) {
	received := make([]ledger.Received, len(events))
	for i, e := range events {
		received[i] = ledger.Received{Event: e, At: time.Now()}
	}
	receipts, err := t.ledger.Record(ctx, received)
	if err != nil {
		return nil, err
	}
	last := map[string]int{}
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
			return nil, err
		}
	}
	return people, t.ledger.MarkDelivered(ctx, seqs)
}

// tellEvery is how often people read how far it is.
const tellEvery = time.Minute

// rest waits until no run of some people is open.
func (t *tenure) rest(ctx context.Context, people []string, tell func(format string, args ...any)) error {
	told := time.Now()
	for i, person := range people {
		if time.Since(told) > tellEvery {
			told = time.Now()
			tell("%d of %d people are done ...", i, len(people))
		}
		if err := t.ended(ctx, person); err != nil {
			return fmt.Errorf("person %s: %w; %s", person, err, t.waiting(context.WithoutCancel(ctx), person))
		}
	}
	return nil
}

// patience is how long one person may take after all that were waited for before.
const patience = 15 * time.Minute

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
