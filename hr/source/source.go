// Package source is the contract between Tenure and HR systems: a decoder turns one Kafka
// record into the events that it holds.
//
// Rules that every decoder keeps:
//
//   - It is pure: the same record gives the same events, warnings or error.
//   - It never panics, whatever the record holds.
//   - Its errors are *Error or *ThinError. Neither they nor warnings quote values of
//     the record: those may be personal data.
//
// Each HR system has one folder below this one and one line in catalog. Decoders do not
// know Kafka, and never import each other.
package source

import (
	"cmp"
	"errors"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Record is one record of a topic. The webhook intake or an integration of the HR system
// put it there. The value of a webhook is the request's body, byte for byte. Its headers
// are content-type and the vendor's own (x-...).
type Record struct {
	Key     []byte            // nil if there is none
	Headers map[string]string // names in lower case
	Value   []byte
	// Time is when the record was put on the topic. It is the same however often the
	// record is read. Zero if it is not known.
	Time time.Time
	// Fetched holds the HR system's answers by reference. They were fetched because an
	// earlier decoding of the record returned a *ThinError. The map is nil if nothing was
	// fetched. The value is nil for a reference that the HR system does not know (any more).
	Fetched map[string][]byte
}

// Decoder turns a record into events. If the error is an *Error, the record can never be
// decoded unless its sender corrects it. If the error is a *ThinError, the record can be
// decoded once its references have been fetched. Events can be used in spite of warnings.
// A decoder is safe for concurrent use.
type Decoder func(Record) ([]hr.Event, []Warning, error)

// Warning describes something odd about a record that could be decoded.
type Warning struct {
	Field string // JSON pointer, "key", or a header's name
	Text  string // "is not known"
}

// Error says why a record cannot be decoded.
type Error struct {
	Reason string // one of the reasons below, for metrics and dead letters
	Field  string // JSON pointer, "key", or a header's name; empty for the record as a whole
	Text   string // what is wrong and, if it is not plain from that, what to do

	// Person is the ID of the person whom the record is about, if the decoder knows it
	// better than LookAt. Urgent means that the record was to end somebody's access: its
	// dead letter needs an operator at once.
	Person string
	Urgent bool
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason + ": the record " + e.Text
	}
	return e.Reason + ": " + e.Field + " " + e.Text
}

// About returns err with the person whom the record is about, marked as urgent if the record
// ends their access. It does not replace a person that an *Error names already, and returns
// any other error as it is.
func About(err error, person string, ends bool) error {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return err
	}
	named := *refusal
	named.Person = cmp.Or(named.Person, person)
	named.Urgent = named.Urgent || ends
	return &named
}

// The reasons. They are stable: dashboards and scripts know them.
const (
	ReasonTombstone          = "tombstone"           // no value
	ReasonNotUTF8            = "not_utf8"            // text that is not UTF-8
	ReasonMalformed          = "malformed"           // no JSON, or JSON of a form that is refused
	ReasonWrongContentType   = "wrong_content_type"  // a format that this decoder does not read
	ReasonUnsupportedVersion = "unsupported_version" // of the format, or of an event type
	ReasonUnknownType        = "unknown_type"        // not an event type of Tenure
	ReasonSchema             = "schema"              // a field is missing or wrong
	ReasonKeyMismatch        = "key_mismatch"        // key, subject and worker ID name different people
	ReasonNotFound           = "not_found"           // the HR system does not know (any more) the person whom it refers to
	ReasonFetchRefused       = "fetch_refused"       // the HR system refuses to return what it refers to
	ReasonThin               = "thin"                // it has to be fetched, and that is not configured
	ReasonChannel            = "channel"             // its channel may not carry it
	ReasonReusedID           = "reused_id"           // another event, with other content, has its source and id
	ReasonRefused            = "refused"             // the ledger, Temporal or the broker will never take it
	ReasonGivenUp            = "given_up"            // it did not pass for too long, while others did
)

// Reasons lists all of the reasons above.
var Reasons = []string{
	ReasonTombstone, ReasonNotUTF8, ReasonMalformed, ReasonWrongContentType,
	ReasonUnsupportedVersion, ReasonUnknownType, ReasonSchema, ReasonKeyMismatch, ReasonThin, ReasonNotFound, ReasonFetchRefused,
	ReasonChannel,
	ReasonReusedID, ReasonRefused, ReasonGivenUp,
}
