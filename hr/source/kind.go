package source

import (
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is one kind of HR system that Tenure can listen to: an entry of the
// catalog.
type Kind struct {
	Name    string // as in the configuration: "bamboohr"
	Summary string // one line for people
	// Key returns the ID of the person whom a record is about, cheaply and without
	// checking anything else. It returns an empty text if there is none, or more than one.
	// The intake uses it as the record's key, so that all records of one person are in one
	// partition. Nil if the sender sets the key.
	Key func(Record) string
	// Settings lists all settings. Open refuses any other.
	Settings []settings.Setting
	// Connect returns a source. It makes no call to the HR system. It reports faults in
	// the settings that a Setting cannot describe by Values.Reject.
	Connect func(*settings.Values) (Source, error)
}

// Open checks the settings strictly (an unknown, missing or ill-typed one is an
// error that names it) and returns a source. It makes no call to the HR system.
func (k Kind) Open(set Settings) (Source, error) {
	values := settings.Read(k.Settings, set)
	if err := values.Err(); err != nil {
		return Source{}, err
	}
	opened, err := k.Connect(values)
	if rejected := values.Err(); rejected != nil {
		return Source{}, rejected
	}
	if err == nil && opened.Decode != nil {
		opened.Decode = checked(opened.Decode)
	}
	return opened, err
}

// KeyOf returns the key that a record should have on its topic; empty if any will do.
func (k Kind) KeyOf(r Record) string {
	if k.Key == nil {
		return ""
	}
	return k.Key(r)
}

// Source is one configured HR system.
type Source struct {
	Decode Decoder
	// Identify finds a record's event without decoding the record, so that a record that
	// was handled before is recognised cheaply. Nil if the kind has no cheap way.
	Identify Identifier
	// Fetch gets the data that thin records refer to. Nil if the kind has no thin records,
	// or if the configuration does not say how to reach the HR system.
	Fetch Fetch
	// Snapshot means that an event's data describe the person at the time at which the
	// record was made or the person was fetched. So a repetition may have other data under
	// the same ID. Without it, other data are another event, which needs its own ID.
	Snapshot bool
}

// Identifier returns the key of the one event that the decoder makes of a record, cheaply
// and without checking anything else. It returns false if it finds none. For a record that
// cannot be decoded its result means nothing. It is pure and safe for concurrent use.
type Identifier func(Record) (hr.EventKey, bool)
