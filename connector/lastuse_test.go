package connector_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

func TestWhatIsUnknownIsNeverUnused(t *testing.T) {
	now := time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	late := connector.LastUse{By: "a logon", Lag: 14 * day}
	for name, test := range map[string]struct {
		use  connector.LastUse
		used time.Time
		want bool
	}{
		"long ago":                         {late, now.Add(-120 * day), true},
		"a while ago":                      {late, now.Add(-80 * day), false},
		"so long ago that it may be later": {late, now.Add(-100 * day), false},
		"the same, told at once":           {connector.LastUse{By: "a sign-in"}, now.Add(-100 * day), true},
		"nothing is known":                 {late, time.Time{}, false},
		"the app does not tell":            {connector.LastUse{Note: "It does not."}, now.Add(-120 * day), false},
	} {
		assert.Equal(t, test.want, test.use.Unused(connector.Account{LastUsedAt: test.used}, now.Add(-90*day)), name)
	}
}

func TestWhatAnAppTellsInWords(t *testing.T) {
	const day = 24 * time.Hour
	for want, use := range map[string]connector.LastUse{
		"a logon, told up to 14 days late":         {By: "a logon", Lag: 14 * day},
		"a logon, told up to a day late. With P1.": {By: "a logon", Lag: time.Hour, Note: "With P1."},
		"a logon":                     {By: "a logon"},
		"not told: It keeps nothing.": {Note: "It keeps nothing."},
	} {
		assert.Equal(t, want, use.String())
	}
}
