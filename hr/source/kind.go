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
	// Key finds in a record the ID of the person that it is about, cheaply and
	// without checking anything else; empty if there is none, or more than one.
	// What puts records on a topic uses it as their key, so that one person's stay
	// in one partition. Nil if the sender sets the key.
	Key func(Record) string
	// Settings are all that there are. Open refuses any other.
	Settings []settings.Setting
	// Connect returns a source. It makes no call to the HR system. Of the settings
	// it checks what Setting cannot say, by Values.Reject.
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

// KeyOf is the key that a record should have on its topic; empty if any will do.
func (k Kind) KeyOf(r Record) string {
	if k.Key == nil {
		return ""
	}
	return k.Key(r)
}

// Source is an HR system of some kind, as it was configured.
type Source struct {
	Decode Decoder
	// Identify lets a record that has been dealt with be told without decoding it.
	// Nil if the kind has no cheap way to do so.
	Identify Identifier
	// Fetch gets what thin records refer to. Nil if the kind knows no such records,
	// or the configuration says nothing of how to reach the HR system.
	Fetch Fetch
	// Snapshot says that an event's data are what was so when the record was made or
	// the person fetched, so that a repetition may say other things of them under the
	// same ID. Else another content makes another event, which needs an ID of its own.
	Snapshot bool
}

// Identifier finds in a record the key of the one event that the decoder makes of
// it, cheaply and without checking anything else; false if it finds none. Of a
// record that cannot be decoded it may say anything. It is pure and safe for
// concurrent use.
type Identifier func(Record) (hr.EventKey, bool)
