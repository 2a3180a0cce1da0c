package vendortest

import (
	"math"
	"time"
)

// Quota is how much a vendor lets one caller have in a time.
type Quota struct {
	Most int
	Per  time.Duration
	// Cost is what a request of a class takes of it; nil: 1.
	Cost func(class string) int
	// Rest is how long nothing is allowed once it is used up; zero: until Per is over. With it
	// and a long Per, a test uses up a quota however slow the machine is.
	Rest time.Duration
}

// Tight returns quotas in the proportions of these, the tightest of which allows so many
// requests a second, in windows no longer than longest. So a short test meets what a large
// company does.
func Tight(perSecond float64, longest time.Duration, quotas ...Quota) []Quota {
	rate := func(q Quota) float64 { return float64(q.Most) / q.Per.Seconds() }
	tightest := math.Inf(1)
	for _, q := range quotas {
		tightest = min(tightest, rate(q))
	}
	scaled := make([]Quota, len(quotas))
	for i, q := range quotas {
		scaled[i] = q
		scaled[i].Per = min(q.Per, longest)
		scaled[i].Most = int(math.Ceil(rate(q) / tightest * perSecond * scaled[i].Per.Seconds()))
	}
	return scaled
}

// meter is what was taken of a quota. Windows follow each other: one begins with the first
// request after the last one has ended.
type meter struct {
	Quota
	began          time.Time
	spent, refused int // in this window
	most           int // refused in one window
}

// Pressed returns how many requests were refused in one window of a quota, at most, since
// the quotas were set: how far callers went on although they were told to wait.
func (d *Door) Pressed() (most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.quotas {
		most = max(most, m.most)
	}
	return most
}

// SetQuotas sets the quotas. A request that exceeds one is refused and takes nothing.
func (d *Door) SetQuotas(quotas ...Quota) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quotas = nil
	for _, q := range quotas {
		d.quotas = append(d.quotas, &meter{Quota: q})
	}
}

// spend takes a request from all quotas, or returns how long to wait. The caller holds the
// lock.
func (d *Door) spend(class string) time.Duration {
	now := time.Now()
	costs := make([]int, len(d.quotas))
	for i, m := range d.quotas {
		if costs[i] = 1; m.Cost != nil {
			costs[i] = m.Cost(class)
		}
		if now.Sub(m.began) >= m.Per {
			m.began, m.spent, m.refused = now, 0, 0
		}
		if costs[i] > 0 && m.spent+costs[i] > m.Most {
			if m.refused == 0 && m.Rest > 0 {
				m.began = now.Add(m.Rest - m.Per)
			}
			m.refused++
			m.most = max(m.most, m.refused)
			return m.began.Add(m.Per).Sub(now)
		}
	}
	for i, m := range d.quotas {
		m.spent += costs[i]
	}
	return 0
}
