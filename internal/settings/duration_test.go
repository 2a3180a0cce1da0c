package settings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/internal/settings"
)

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0d": 0, "0s": 0, "30d": 30 * day, "12h": 12 * time.Hour, "90s": 90 * time.Second, "90m": 90 * time.Minute,
		"1d12h": 36 * time.Hour, "1d1h1m1s1ms": day + time.Hour + time.Minute + time.Second + time.Millisecond,
		"250ms": 250 * time.Millisecond, "1m5ms": time.Minute + 5*time.Millisecond, "007d": 7 * day, "36525d": 36_525 * day,
	} {
		d, err := settings.ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "0", "30", "d", "-1d", "+1d", "1.5h", "1 d", " 1d", "1h1d", "1d1d", "1w", "1D", "1d,2h", "1us"} {
		_, err := settings.ParseDuration(text)
		assert.EqualError(t, err, `must be a duration such as "30d", "12h", "90s" or "1d12h"`, text)
	}
	for _, text := range []string{"36526d", "36525d1ms", "99999999999999999999d", "9223372036854775807s"} {
		_, err := settings.ParseDuration(text)
		assert.EqualError(t, err, "must be no longer than 36525d (a hundred years)", text)
	}
}

// Go's own duration strings of whole milliseconds mean the same here.
func TestParseDurationAgreesWithGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, h, m := rapid.IntRange(0, 9999).Draw(t, "d"), rapid.IntRange(0, 99).Draw(t, "h"), rapid.IntRange(0, 99).Draw(t, "m")
		ms := rapid.IntRange(0, 99999).Draw(t, "ms")
		got, err := settings.ParseDuration(fmt.Sprintf("%dd%dh%dm%dms", d, h, m, ms))
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.ParseDuration(fmt.Sprintf("%dh%dm%dms", 24*d+h, m, ms))
		if err != nil || got != want {
			t.Fatalf("%s, not %s, %v", got, want, err)
		}
	})
}

// Settings of kinds read what the other keys read, and what they read before.
func TestDurationsOfKinds(t *testing.T) {
	declared := []settings.Setting{{Name: "keep", Type: settings.TypeDuration}}
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "15s": 15 * time.Second, "1.5h": 90 * time.Minute, "500us": 500 * time.Microsecond,
	} {
		v := settings.Read(declared, map[string]any{"keep": text})
		require.NoError(t, v.Err(), text)
		assert.Equal(t, want, v.Duration("keep"), text)
	}
	for _, text := range []any{"0d", "-1h", "30", "1w", "1.5d", "36526d", "876601h", 30} {
		assert.Error(t, settings.Read(declared, map[string]any{"keep": text}).Err(), text)
	}
}
