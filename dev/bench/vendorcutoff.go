package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
)

// AmidCutOffs compares how long it takes to cut somebody off in the vendors while nothing else
// has to be done, and while joiners use up every quota.
type AmidCutOffs struct {
	Idle    Latency       `json:"idle"`
	Amid    Latency       `json:"amid"`
	Window  time.Duration `json:"windowNanoseconds"` // the longest window of a quota
	Joiners int           `json:"joiners"`           // who were queued
	Left    int           `json:"left"`              // who had not all accounts after the last cut-off
	Refused int           `json:"refused"`           // requests that quotas refused meanwhile
	// Unused names the vendors whose quotas all joiners together have not used up.
	Unused []string `json:"unused,omitempty"`
}

// joinersPerCutOff is how many joiners are queued for each person who is cut off among them.
const joinersPerCutOff = 15

// cutOffAmid measures. Nothing fails by chance meanwhile. Everybody has accounts in all vendors.
func (t *tenure) cutOffAmid(ctx context.Context, vendors []*vendor, o CompanyOptions) (*AmidCutOffs, error) {
	quiet := func() {
		for _, v := range vendors {
			v.door.SetChance(vendortest.Chance{})
			v.door.SetQuotas()
		}
	}
	seller := func(person string) hr.Event {
		return hrevents.Event(person, hr.EventHired, profile(person, "Sales", "Account manager"))
	}
	quiet()
	if err := t.play(ctx, seller(managerID)); err != nil {
		return nil, err
	}
	for load := range 2 {
		for i := range o.CutOffs {
			if err := t.play(ctx, seller(cutPerson(load, i))); err != nil {
				return nil, err
			}
		}
	}
	out := &AmidCutOffs{Joiners: joinersPerCutOff * o.CutOffs}
	measure := func(load int) (Latency, error) {
		var all []time.Duration
		for i := range o.CutOffs {
			took, err := t.suspend(ctx, cutPerson(load, i))
			if err != nil {
				return Latency{}, err
			}
			all = append(all, took)
		}
		slices.Sort(all)
		return Latency{all[(len(all)-1)/2], all[len(all)-1]}, nil
	}
	var err error
	if out.Idle, err = measure(0); err != nil {
		return nil, err
	}
	if o.Rest > 0 {
		o.PerSecond /= 10 // many rests for few joiners
	}
	for _, v := range vendors {
		v.door.SetQuotas(o.quotas(v)...)
		v.door.Calls()
		for _, q := range o.quotas(v) {
			out.Window = max(out.Window, cmp.Or(q.Rest, q.Per))
		}
	}
	var joiners []hr.Event
	for i := range out.Joiners {
		joiners = append(joiners, seller(fmt.Sprintf("amid-%d", i)))
	}
	if _, err := t.announce(ctx, joiners); err != nil {
		return nil, err
	}
	// left counts the joiners who have not all accounts.
	left := func() int {
		whole := map[string]int{}
		for _, v := range vendors {
			for person, a := range v.people() {
				if len(a.Groups) > 0 {
					whole[person]++
				}
			}
		}
		n := out.Joiners
		for i := range out.Joiners {
			if whole[fmt.Sprintf("amid-%d", i)] == len(vendors) {
				n--
			}
		}
		return n
	}
	for _, v := range vendors {
		if err := until(ctx, func() (bool, error) { return v.door.Pressed() > 0 || left() == 0, nil }); err != nil {
			return nil, fmt.Errorf("%s's quota is not used up: %w", v.name, err)
		}
		if v.door.Pressed() == 0 {
			out.Unused = append(out.Unused, v.name)
		}
	}
	if out.Amid, err = measure(1); err != nil {
		return nil, err
	}
	for _, v := range vendors {
		for _, call := range v.door.Calls() {
			if call.ByQuota {
				out.Refused++
			}
		}
		for person, a := range v.people() {
			if cut := isCut(person, o.CutOffs); cut && a.Active {
				return nil, fmt.Errorf("%s: person %s was cut off and can sign in", v.name, person)
			}
		}
	}
	out.Left = left()
	quiet()
	return out, nil
}

func cutPerson(load, i int) string { return fmt.Sprintf("cut-%d-%d", load, i) }

func isCut(person string, n int) bool {
	for load := range 2 {
		for i := range n {
			if person == cutPerson(load, i) {
				return true
			}
		}
	}
	return false
}
