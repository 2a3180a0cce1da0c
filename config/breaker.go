package config

import (
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// defaultBreaker returns the limits that hold unless the configuration says otherwise.
func defaultBreaker() *ledger.Limits {
	limits := &ledger.Limits{Window: 24 * time.Hour, Settle: time.Minute, Of: map[ledger.WithdrawalKind]ledger.Limit{}}
	for _, kind := range ledger.WithdrawalKinds() {
		limits.Of[kind] = ledger.Limit{Share: 0.1, Count: 20, Most: 200}
	}
	suspensions := limits.Of[ledger.Suspensions]
	suspensions.Window = time.Hour
	limits.Of[ledger.Suspensions] = suspensions
	return limits
}

// readBreaker returns nil if the breaker is turned off.
func readBreaker(v value) *ledger.Limits {
	limits, enabled := defaultBreaker(), true
	keys := []key{
		optional("enabled", func(v value) { enabled = v.boolean() }),
		optional("window", func(v value) { limits.Window = scalar(v, parseSpan) }),
		optional("settle", func(v value) { limits.Settle = scalar(v, ParseDuration) }),
		optional("settleImmediate", func(v value) { limits.SettleImmediate = scalar(v, ParseDuration) }),
	}
	for _, kind := range ledger.WithdrawalKinds() {
		keys = append(keys, optional(string(kind), func(v value) { limits.Of[kind] = readBreakerLimit(v, limits.Of[kind]) }))
	}
	v.mapping(keys...)
	if !enabled {
		return nil
	}
	return limits
}

func readBreakerLimit(v value, l ledger.Limit) ledger.Limit {
	v.mapping(
		optional("share", func(v value) { l.Share = scalar(v, parseShare) }),
		optional("count", func(v value) { l.Count = scalar(v, parseCount) }),
		optional("most", func(v value) { l.Most = scalar(v, parseCount) }),
		optional("window", func(v value) { l.Window = scalar(v, parseSpan) }),
	)
	return l
}
