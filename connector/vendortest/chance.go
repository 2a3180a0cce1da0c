package vendortest

import (
	"math/rand/v2"
	"time"
)

// Chance says how often requests fail by chance, each from 0 to 1. What fails how is drawn
// from the seed, in the order in which requests come.
type Chance struct {
	Seed    uint64
	Down    float64 // 503, and nothing was done
	Limited float64 // asked too often, whatever the quotas say
	Proxy   float64 // 404 of a proxy
	Failed  float64 // a change is made, and answered by a failure
	Lost    float64 // a change is made, and the connection ends without an answer
	Silent  float64 // nothing is done, and the connection stays open without an answer
	// Wait is what callers are told to wait, if Down and Limited say so at all.
	Wait time.Duration
}

// SetChance has requests fail by chance; the zero value ends that.
func (d *Door) SetChance(c Chance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.chance = nil
	if c != (Chance{}) {
		d.chance = &chance{c, rand.New(rand.NewPCG(c.Seed, 0))} //nolint:gosec // equal seeds make equal faults
	}
}

type chance struct {
	Chance
	rand *rand.Rand
}

// draw says what becomes of a request that changes something or not.
func (c *chance) draw(changes bool) fate {
	drawn := c.rand.Float64()
	for _, possible := range []struct {
		rate float64
		when bool
		what fate
	}{
		{c.Down, true, fate{refusal: Refusal{Trouble: Down, Wait: c.Wait}}},
		{c.Limited, true, fate{refusal: Refusal{Trouble: Limited, Wait: c.Wait}}},
		{c.Proxy, true, fate{refusal: Refusal{Trouble: Proxy}}},
		{c.Failed, changes, fate{refusal: Refusal{Trouble: Failed}}},
		{c.Lost, changes, fate{lost: true}},
		{c.Silent, true, fate{stalls: true}},
	} {
		switch {
		case drawn >= possible.rate:
			drawn -= possible.rate
		case possible.when:
			return possible.what
		default:
			return fate{}
		}
	}
	return fate{}
}
