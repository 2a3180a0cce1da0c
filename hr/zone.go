package hr

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// zones caches loaded zones, because a timeline needs the same few repeatedly.
var zones sync.Map // name -> *time.Location

// LoadZone returns the time zone of an IANA name. It refuses names whose meaning depends on
// the machine ("", "Local", "localtime"), and the variants of the database that count leap
// seconds.
//
// Programs that use it import time/tzdata, so as not to depend on the machine.
func LoadZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	if lower := strings.ToLower(name); name == "" || lower == "local" || lower == "localtime" ||
		strings.HasPrefix(lower, "right/") || strings.HasPrefix(lower, "posix") {
		return nil, fmt.Errorf("%q is not the IANA name of a time zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not the IANA name of a time zone", name)
	}
	zones.Store(name, loc)
	return loc, nil
}

// zone returns the time zone of the profile's dates. Events with unknown zones are refused
// before they get here. If the zone database loses a zone, UTC is better than no timeline.
func (p *Profile) zone() *time.Location {
	loc, err := LoadZone(p.Location.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}
