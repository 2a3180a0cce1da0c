package config

import "time"

// Breaker says of how many people access may be taken, or extended, at once before
// somebody is asked.
type Breaker struct {
	Window          time.Duration // in which they are counted together; default 24h
	Settle          time.Duration // how long each waits, so that a flood is seen in time; default 1m
	SettleImmediate time.Duration // ... and those who are terminated at once, or suspended; default 0s

	Leavers, Disables, Deletions BreakerLimit
	Suspensions                  BreakerLimit // by each source; Window is 1h by default
	Losses, Grants               BreakerLimit
}

// BreakerLimit is a share of the people employed, or Count if that is more, and
// never more than Most (zero: however many the share comes to).
type BreakerLimit struct {
	Share       float64
	Count, Most int
	Window      time.Duration // zero: Breaker.Window
}

func defaultBreaker() Breaker {
	usual := BreakerLimit{Share: 0.1, Count: 20, Most: 200}
	suspensions := usual
	suspensions.Window = time.Hour
	return Breaker{
		Window: 24 * time.Hour, Settle: time.Minute, Leavers: usual, Disables: usual, Deletions: usual,
		Suspensions: suspensions, Losses: usual, Grants: usual,
	}
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
		optional("suspensions", func(v value) { b.Suspensions = readBreakerLimit(v, b.Suspensions) }),
		optional("losses", func(v value) { b.Losses = readBreakerLimit(v, b.Losses) }),
		optional("grants", func(v value) { b.Grants = readBreakerLimit(v, b.Grants) }),
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
		optional("window", func(v value) { l.Window = scalar(v, parseSpan) }),
	)
	return l
}
