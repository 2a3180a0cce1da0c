package vendortest

import "time"

// Quota is how much a vendor lets one caller have in a time.
type Quota struct {
	Most int
	Per  time.Duration
	// Cost is what a request of a class takes of it; nil: 1.
	Cost func(class string) int
}

// Faster returns the quotas of a vendor whose time runs so many times as fast: as much is
// allowed in a shorter time, so that a short test meets what a long day does.
func Faster(times float64, quotas ...Quota) []Quota {
	scaled := make([]Quota, len(quotas))
	for i, q := range quotas {
		scaled[i] = q
		scaled[i].Per = time.Duration(float64(q.Per) / times)
	}
	return scaled
}

// meter is what was taken of a quota. Windows follow each other: one begins with the first
// request after the last one has ended.
type meter struct {
	Quota
	began time.Time
	spent int
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
			m.began, m.spent = now, 0
		}
		if costs[i] > 0 && m.spent+costs[i] > m.Most {
			return m.began.Add(m.Per).Sub(now)
		}
	}
	for i, m := range d.quotas {
		m.spent += costs[i]
	}
	return 0
}
