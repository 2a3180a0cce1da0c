package config

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
)

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0d": 0, "0s": 0, "30d": 30 * day, "12h": 12 * time.Hour, "90s": 90 * time.Second, "90m": 90 * time.Minute,
		"1d12h": 36 * time.Hour, "1d1h1m1s1ms": day + time.Hour + time.Minute + time.Second + time.Millisecond,
		"250ms": 250 * time.Millisecond, "1m5ms": time.Minute + 5*time.Millisecond, "007d": 7 * day, "36525d": longestDuration,
	} {
		d, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "0", "30", "d", "-1d", "+1d", "1.5h", "1 d", " 1d", "1h1d", "1d1d", "1w", "1D", "1d,2h", "1us"} {
		_, err := ParseDuration(text)
		assert.EqualError(t, err, `must be a duration such as "30d", "12h", "90s" or "1d12h"`, text)
	}
	for _, text := range []string{"36526d", "36525d1ms", "99999999999999999999d", "9223372036854775807s"} {
		_, err := ParseDuration(text)
		assert.EqualError(t, err, "must be no longer than 36525d (a hundred years)", text)
	}
	_, err := parseSpan("0d")
	assert.EqualError(t, err, "must be above zero")
	_, err = parseSpan("x")
	assert.ErrorContains(t, err, "must be a duration")
}

// Go's own duration strings of whole milliseconds mean the same here.
func TestParseDurationAgreesWithGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, h, m := rapid.IntRange(0, 9999).Draw(t, "d"), rapid.IntRange(0, 99).Draw(t, "h"), rapid.IntRange(0, 99).Draw(t, "m")
		ms := rapid.IntRange(0, 99999).Draw(t, "ms")
		got, err := ParseDuration(fmt.Sprintf("%dd%dh%dm%dms", d, h, m, ms))
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.ParseDuration(fmt.Sprintf("%dh%dm%dms", 24*d+h, m, ms))
		if err != nil || got != want {
			t.Fatalf("%s, not %s, %v", got, want, err)
		}
	})
}

func TestParseSeats(t *testing.T) {
	for text, want := range map[string]ledger.EnoughSeats{
		"0": {}, "12": {Seats: 12}, "5%": {Share: 0.05}, "0.5%": {Share: 0.005}, "100%": {Share: 1},
	} {
		enough, err := parseSeats(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, enough, text)
	}
	for _, text := range []string{"", "-1", "5 %", "1.5", "101%", "%", "few", "99999999999"} {
		_, err := parseSeats(text)
		assert.Error(t, err, text)
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]pace.Rate{
		"10/s": {Calls: 10, Per: time.Second}, "180/m": {Calls: 180, Per: time.Minute}, "1/h": {Calls: 1, Per: time.Hour},
	} {
		rate, err := parseRate(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, rate, text)
	}
	for _, text := range []string{"", "10", "0/s", "-1/s", "1.5/s", "10/d", "10/ s", "/s", "10/s/s", strconv.Itoa(1<<31) + "/s"} {
		_, err := parseRate(text)
		assert.ErrorContains(t, err, "must be a number of calls", text)
	}
}

func TestCheckAddress(t *testing.T) {
	for _, address := range []string{"localhost:9092", "127.0.0.1:0", "[::1]:65535"} {
		assert.NoError(t, checkAddress(address, true), address)
	}
	assert.NoError(t, checkAddress(":9464", false))
	for _, address := range []string{"localhost", ":9092", "localhost:", "localhost:http", "localhost:65536", "::1:90"} {
		assert.Error(t, checkAddress(address, true), address)
	}
}
