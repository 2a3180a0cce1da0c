package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
)

func TestLowLicences(t *testing.T) {
	few := ledger.EnoughSeats{Share: 0.05}
	for name, tc := range map[string]struct {
		licence ledger.Licence
		enough  ledger.EnoughSeats
		low     bool
	}{
		"plenty":                        {ledger.Licence{Seats: 100, Used: 90}, few, false},
		"exactly the share":             {ledger.Licence{Seats: 100, Used: 95}, few, false},
		"below the share":               {ledger.Licence{Seats: 100, Used: 96}, few, true},
		"a share is rounded up":         {ledger.Licence{Seats: 10, Used: 10}, few, true},
		"one is left of few":            {ledger.Licence{Seats: 10, Used: 9}, few, false},
		"a number":                      {ledger.Licence{Seats: 100, Used: 91}, ledger.EnoughSeats{Seats: 10}, true},
		"exactly the number":            {ledger.Licence{Seats: 100, Used: 90}, ledger.EnoughSeats{Seats: 10}, false},
		"as many as are awaited":        {ledger.Licence{Seats: 100, Used: 50, Awaited: 50}, few, false},
		"more are awaited":              {ledger.Licence{Seats: 100, Used: 50, Awaited: 51}, few, true},
		"more are awaited, no bound":    {ledger.Licence{Seats: 100, Used: 100, Awaited: 1}, ledger.EnoughSeats{}, true},
		"full, nobody waits, no bound":  {ledger.Licence{Seats: 100, Used: 100}, ledger.EnoughSeats{}, false},
		"more used than there are":      {ledger.Licence{Seats: 100, Used: 107, Awaited: 0}, few, true},
		"the app does not say":          {ledger.Licence{Used: 7, Awaited: 9}, few, false},
		"used is unknown to be below 0": {ledger.Licence{Seats: 100, Used: -1}, few, false},
	} {
		assert.Equal(t, tc.low, tc.licence.Low(tc.enough), name)
	}
	now := time.Now()
	assert.True(t, ledger.Licence{Seats: 1, CountedAt: now.Add(-time.Hour)}.Known(now))
	assert.False(t, ledger.Licence{Seats: 1, CountedAt: now.Add(-3 * time.Hour)}.Known(now), "old numbers would look like new ones")
	assert.False(t, ledger.Licence{Used: 1, CountedAt: now}.Known(now))
	assert.Equal(t, 0, ledger.Licence{Seats: 3, Used: 5}.Free())
}
