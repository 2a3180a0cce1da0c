package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
)

// parseSpan reads a duration that is not zero.
func parseSpan(text string) (time.Duration, error) {
	d, err := settings.ParseDuration(text)
	if err == nil && d == 0 {
		return 0, errors.New("must be above zero")
	}
	return d, err
}

var ratePeriods = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// parseRate reads 10/s, 180/m, 1000/h.
func parseRate(text string) (pace.Rate, error) {
	calls, unit, _ := strings.Cut(text, "/")
	per, ok := ratePeriods[unit]
	n, err := strconv.ParseUint(calls, 10, 31)
	if !ok || err != nil || n == 0 {
		return pace.Rate{}, errors.New(`must be a number of calls above zero per s, m or h, such as "10/s" or "180/m"`)
	}
	return pace.Rate{Calls: int(n), Per: per}, nil
}

// mostAtOnce is the largest atOnce: no worker has more steps for one app under way.
const mostAtOnce = 300

func parseAtOnce(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostAtOnce {
		return 0, fmt.Errorf("must be a number of calls from 1 to %d", mostAtOnce)
	}
	return n, nil
}

// parseSeats reads how many free seats are enough: 10, or 5%.
func parseSeats(text string) (ledger.EnoughSeats, error) {
	if strings.HasSuffix(text, "%") {
		share, err := parseShare(text)
		return ledger.EnoughSeats{Share: share}, err
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return ledger.EnoughSeats{}, errors.New(`must be a number of seats, or a percentage such as "5%"`)
	}
	return ledger.EnoughSeats{Seats: int(n)}, nil
}

// parseInstant reads an RFC 3339 instant.
func parseInstant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, errors.New(`must be an instant such as "2026-11-02T08:00:00Z"`)
	}
	return t, nil
}

func parseFactor(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0) || math.IsInf(f, 0) {
		return 0, errors.New("must be a number above zero")
	}
	return f, nil
}

// checkAddress checks an address, host:port. A listen address may leave out the host.
func checkAddress(address string, hostRequired bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || hostRequired && host == "" {
		return fmt.Errorf("%q is no address: must be host:port", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no address: the port must be a number up to 65535", address)
	}
	return nil
}
