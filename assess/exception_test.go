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
		until        int // 0: none
		counts       bool
		lapsed       string // a grant
		withheld     string // why what is withheld has lapsed
	}{
		"the employment in which it was decided":        {[]hr.Period{period("e1", 0, 0)}, 5, 3, 9, true, "", ""},
		"its time is over":                              {[]hr.Period{period("e1", 0, 0)}, 9, 3, 9, true, lapsedByTime, lapsedByTime},
		"decided before the first day":                  {[]hr.Period{period("e1", 4, 0)}, 3, 2, 9, true, "", ""},
		"the employment has ended":                      {[]hr.Period{period("e1", 0, 5)}, 6, 3, 0, false, lapsedByEmployment, ""},
		"ended, and another has begun":                  {[]hr.Period{period("e1", 0, 5), period("e2", 6, 0)}, 7, 3, 0, false, lapsedByEmployment, lapsedByEmployment},
		"ended, and another will begin":                 {[]hr.Period{period("e1", 0, 5), period("e2", 9, 0)}, 7, 3, 0, false, lapsedByEmployment, ""},
		"another one is known of, and this one lasts":   {[]hr.Period{period("e1", 0, 8), period("e2", 9, 0)}, 7, 3, 0, true, "", ""},
		"HR opens the same employment by another event": {[]hr.Period{period("e7", 0, 0)}, 5, 3, 0, true, "", ""},
		"HR moves the first day behind the decision":    {[]hr.Period{period("e7", 4, 0)}, 5, 3, 0, true, "", ""},
		"nothing is known any more":                     {nil, 5, 3, 0, false, lapsedByEmployment, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, lapses := range map[string]string{"grant": tc.lapsed, "withhold": tc.withheld} {
				x := ledger.Exception{ID: 7, Kind: kind, Role: "admin", App: "wiki", Employment: key("e1"), DecidedAt: day(tc.decided), StartsAt: day(tc.decided)}
				if tc.until != 0 {
					x.EndsAt = day(tc.until)
				}
				person, timeline := ledger.Person{Exceptions: []ledger.Exception{x}}, hr.Timeline{Periods: tc.periods}
				assert.Equal(t, tc.counts, len(Exceptions(person, timeline, day(tc.now))) == 1, kind)
				var why string
				for _, lapsed := range lapsedExceptions(person, timeline, day(tc.now)) {
					why = lapsed.Why
				}
				assert.Equal(t, lapses, why, kind)
			}
		})
	}
}
