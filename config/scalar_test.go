package config

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
)

func TestParseSpan(t *testing.T) {
	d, err := parseSpan("30d")
	require.NoError(t, err)
	assert.Equal(t, 30*24*time.Hour, d)
	_, err = parseSpan("0d")
	assert.EqualError(t, err, "must be above zero")
	_, err = parseSpan("x")
	assert.ErrorContains(t, err, "must be a duration")
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
