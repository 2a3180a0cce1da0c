package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// VendorCalls counts the requests to a vendor for one change of one person, from the event to
// the proof.
type VendorCalls struct {
	Vendor string         `json:"vendor"`
	Change string         `json:"change"`
	Calls  map[string]int `json:"calls"` // by method and route
	Total  int            `json:"total"`
	Least  int            `json:"least"` // that the vendor's protocol allows, with the proof
}

// vendorChanges lists the changes that are counted, in the order in which a person lives them.
var vendorChanges = []struct {
	name  string
	event func(person string) hr.Event
}{
	{"create, with two groups", hired},
	{"update: a title", func(person string) hr.Event {
		return hrevents.Event(person, hr.EventUpdated, profile(person, "Engineering", "Senior engineer"))
	}},
	{"entitle, remove: one group each way", func(person string) hr.Event {
		return hrevents.Event(person, hr.EventTransferred, profile(person, "Sales", "Senior engineer"))
	}},
	{"disable, end sessions", func(person string) hr.Event { return hrevents.Event(person, hr.EventSuspended, nil) }},
	{"enable", func(person string) hr.Event { return hrevents.Event(person, hr.EventReinstated, nil) }},
	{"disable, end sessions, remove two, delete", hrevents.Left},
	{"bring back, with two groups", func(person string) hr.Event {
		return hrevents.Event(person, hr.EventRehired, profile(person, "Sales", "Senior engineer"))
	}},
}

// vendorCalls plays every change for one person, while no other calls are made. Before that,
// it plays them for another, with whom the worker learns what the vendors have.
func (r *rig) vendorCalls(ctx context.Context) (all []VendorCalls, err error) {
	vendors, err := startVendors(ctx)
	if err != nil {
		return nil, err
	}
	defer stopVendors(vendors)
	t, err := r.hostVendors(ctx, vendors, hosting{rules: policy.Rules{
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: grants(vendors, "everybody")},
			{Name: "engineering", When: "person.department == 'Engineering'", Grants: grants(vendors, "makers")},
			{Name: "sales", When: "person.department == 'Sales'", Grants: grants(vendors, "sellers")},
		},
		Leaver: policy.LeaverRules{Retain: retain, Delete: true},
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.play(ctx, hired(managerID)); err != nil {
		return nil, err
	}
	for _, person := range []string{"first", "counted"} {
		all = nil
		for _, change := range vendorChanges {
			counts, err := t.changeVendors(ctx, vendors, change.event(person))
			if err != nil {
				return nil, fmt.Errorf("%s: %w; %s", change.name, err, t.waiting(context.WithoutCancel(ctx), person))
			}
			for i := range counts {
				counts[i].Change = change.name
			}
			all = append(all, counts...)
		}
	}
	return all, nil
}

// changeVendors plays an event, and returns the requests that it caused.
func (t *tenure) changeVendors(ctx context.Context, vendors []*vendor, e hr.Event) ([]VendorCalls, error) {
	var before []vendortest.Account
	for _, v := range vendors {
		before = append(before, v.people()[e.PersonID])
		v.door.Calls()
	}
	if err := t.play(ctx, e); err != nil {
		return nil, err
	}
	var counts []VendorCalls
	for i, v := range vendors {
		c := VendorCalls{Vendor: v.name, Calls: map[string]int{}, Least: v.costs.least(before[i], v.people()[e.PersonID])}
		for _, call := range v.door.Calls() {
			c.Calls[call.Class]++
			c.Total++
		}
		counts = append(counts, c)
	}
	return counts, nil
}
