package assess

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func TestAnExceptionBelongsToOneEmployment(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	key := func(id string) hr.EventKey { return hr.EventKey{Source: "/hr", ID: id} }
	period := func(opened string, starts, ends int) hr.Period {
		p := hr.Period{Starts: day(starts), Opened: key(opened), Profiles: []hr.EffectiveProfile{{From: day(starts)}}}
		if ends != 0 {
			p.Ends = day(ends)
		}
		return p
	}
	for name, tc := range map[string]struct {
		periods      []hr.Period
		now, decided int
		until        int    // 0: none
		counts       bool   // a grant
		withholds    bool   // what is withheld
		lapsed       string // a grant
		withheld     string // why what is withheld has lapsed
	}{
		"the employment in which it was decided":         {[]hr.Period{period("e1", 0, 0)}, 5, 3, 9, true, true, "", ""},
		"its time is over":                               {[]hr.Period{period("e1", 0, 0)}, 9, 3, 9, true, true, lapsedByTime, lapsedByTime},
		"decided before the first day":                   {[]hr.Period{period("e1", 4, 0)}, 3, 2, 9, true, true, "", ""},
		"the employment has ended":                       {[]hr.Period{period("e1", 0, 5)}, 6, 3, 0, false, false, lapsedByEmployment, ""},
		"ended, and another has begun":                   {[]hr.Period{period("e1", 0, 5), period("e2", 10, 0)}, 11, 3, 0, false, false, lapsedByEmployment, lapsedByEmployment},
		"ended, and another will begin":                  {[]hr.Period{period("e1", 0, 5), period("e2", 10, 0)}, 7, 3, 0, false, false, lapsedByEmployment, ""},
		"HR opens another one before this one has ended": {[]hr.Period{period("e1", 0, 5), period("e2", 5, 0)}, 7, 3, 0, false, true, lapsedByEmployment, ""},
		"a weekend between two contracts":                {[]hr.Period{period("e1", 0, 5), period("e2", 7, 0)}, 8, 3, 0, false, true, lapsedByEmployment, ""},
		"several contracts, one after the other":         {[]hr.Period{period("e1", 0, 5), period("e2", 5, 7), period("e3", 8, 0)}, 9, 3, 0, false, true, lapsedByEmployment, ""},
		"a break after the next one":                     {[]hr.Period{period("e1", 0, 5), period("e2", 5, 7), period("e3", 12, 0)}, 13, 3, 0, false, false, lapsedByEmployment, lapsedByEmployment},
		"decided in the next one":                        {[]hr.Period{period("e0", 0, 2), period("e1", 2, 0)}, 5, 3, 9, true, true, "", ""},
		"another one is known of, and this one lasts":    {[]hr.Period{period("e1", 0, 8), period("e2", 9, 0)}, 7, 3, 0, true, true, "", ""},
		"HR opens the same employment by another event":  {[]hr.Period{period("e7", 0, 0)}, 5, 3, 0, true, true, "", ""},
		"HR moves the first day behind the decision":     {[]hr.Period{period("e7", 4, 0)}, 5, 3, 0, true, true, "", ""},
		"nothing is known any more":                      {nil, 5, 3, 0, false, false, lapsedByEmployment, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, lapses := range map[string]string{"grant": tc.lapsed, "withhold": tc.withheld} {
				counts := tc.counts
				if kind == "withhold" {
					counts = tc.withholds
				}
				x := ledger.Exception{ID: 7, Kind: kind, Role: "admin", App: "wiki", Employment: key("e1"), DecidedAt: day(tc.decided), StartsAt: day(tc.decided)}
				if tc.until != 0 {
					x.EndsAt = day(tc.until)
				}
				person, timeline := ledger.Person{Exceptions: []ledger.Exception{x}}, hr.Timeline{Periods: tc.periods}
				assert.Equal(t, counts, len(Exceptions(person, timeline, day(tc.now))) == 1, kind)
				var why string
				for _, lapsed := range lapsedExceptions(person, timeline, day(tc.now)) {
					why = lapsed.Why
				}
				assert.Equal(t, lapses, why, kind)
			}
		})
	}
}
