package config

import "github.com/tenurehq/tenure/ledger"

// readBreaker returns nil if the breaker is turned off.
func readBreaker(v value) *ledger.Limits {
	limits := &ledger.Limits{Of: map[ledger.WithdrawalKind]ledger.Limit{}}
	var enabled bool
	keys := []key{
		into("enabled", &enabled), into("window", &limits.Window),
		into("settle", &limits.Settle), into("settleImmediate", &limits.SettleImmediate),
	}
	for _, kind := range ledger.WithdrawalKinds() {
		keys = append(keys, on(string(kind), func(v value) {
			var l ledger.Limit
			v.mapping(into("share", &l.Share), into("count", &l.Count), into("most", &l.Most), into("window", &l.Window))
			limits.Of[kind] = l
		}))
	}
	v.mapping(keys...)
	if !enabled {
		return nil
	}
	return limits
}
