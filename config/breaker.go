package config

import "time"

// Breaker says how many people may lose access at once before somebody is asked.
type Breaker struct {
	Window                       time.Duration // in which they are counted together; default 24h
	Settle                       time.Duration // how long leavers wait, so that a flood is seen in time; default 1m
	SettleImmediate              time.Duration // ... and those who are terminated at once; default 0s
	Leavers, Disables, Deletions BreakerLimit
}

// BreakerLimit is a share of the people employed, or Count if that is more, and
// never more than Most (zero: however many the share comes to).
type BreakerLimit struct {
	Share       float64
	Count, Most int
}

func defaultBreaker() Breaker {
	usual := BreakerLimit{Share: 0.1, Count: 20, Most: 200}
	return Breaker{Window: 24 * time.Hour, Settle: time.Minute, Leavers: usual, Disables: usual, Deletions: usual}
}

// readBreaker is nil if it is turned off.
func readBreaker(v value) *Breaker {
	b, enabled := defaultBreaker(), true
	v.mapping(
		optional("enabled", func(v value) { enabled = v.boolean() }),
		optional("window", func(v value) { b.Window = scalar(v, parseSpan) }),
		optional("settle", func(v value) { b.Settle = scalar(v, ParseDuration) }),
		optional("settleImmediate", func(v value) { b.SettleImmediate = scalar(v, ParseDuration) }),
		optional("leavers", func(v value) { b.Leavers = readBreakerLimit(v, b.Leavers) }),
		optional("disables", func(v value) { b.Disables = readBreakerLimit(v, b.Disables) }),
		optional("deletions", func(v value) { b.Deletions = readBreakerLimit(v, b.Deletions) }),
	)
	if !enabled {
		return nil
	}
	return &b
}

func readBreakerLimit(v value, l BreakerLimit) BreakerLimit {
	v.mapping(
		optional("share", func(v value) { l.Share = scalar(v, parseShare) }),
		optional("count", func(v value) { l.Count = scalar(v, parseCount) }),
		optional("most", func(v value) { l.Most = scalar(v, parseCount) }),
	)
	return l
}
