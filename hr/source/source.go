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
// Each HR system is one folder below this one and one line in catalog. Decoders
// know nothing of Kafka, and never import each other.
package source

import (
	"cmp"
	"errors"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Record is one record of a topic: what the HR system sent, as the webhook intake
// or an integration put it there. The value is the body byte for byte; headers
// are those of the HTTP request that say something of the body (content-type) or
// are the vendor's own (x-...).
type Record struct {
	Key     []byte            // nil if it has none
	Headers map[string]string // names in lower case
	Value   []byte
	// Time is when the record was put on the topic; the same however often it is
	// read. Zero if that is not known.
	Time time.Time
	// Fetched holds, by reference, what was fetched because an earlier decoding of the
	// record gave a *ThinError; it is nil if nothing was fetched. A reference under which
	// the HR system knows nothing (any more) has the value nil.
	Fetched map[string][]byte
}

// Decoder turns a record into events, or says why it cannot. If the error is an
// *Error, the record is of no use to anybody until its sender mends it. If it is a
// *ThinError, the record can be decoded when what it refers to has been fetched.
// Warnings do not keep events from being used. A decoder is safe for concurrent
// use.
type Decoder func(Record) ([]hr.Event, []Warning, error)

// Warning describes something odd about a record that could be decoded all the same.
type Warning struct {
	Field string // JSON pointer, "key", or a header's name
	Text  string // "is not known"
}

// Error says why a record cannot be decoded.
type Error struct {
	Reason string // one of the reasons below, for metrics and dead letters
	Field  string // JSON pointer, "key", or a header's name; empty for the record as a whole
	Text   string // what is wrong and, if it is not plain from that, what to do

	// Person is whom the decoder believes the record to be about, if it knows
	// better than LookAt: an ID. Urgent means that the record was to end somebody's
	// access: then the dead letter needs a human at once.
	Person string
	Urgent bool
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason + ": the record " + e.Text
	}
	return e.Reason + ": " + e.Field + " " + e.Text
}

// About returns err with the person whom the record is about, and marked as urgent if the
// record ends their access. What an *Error names already stays; other errors stay as they
// are.
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
	ReasonMalformed          = "malformed"           // no JSON, or JSON of a kind that nobody should send
	ReasonWrongContentType   = "wrong_content_type"  // a format that this decoder does not read
	ReasonUnsupportedVersion = "unsupported_version" // of the format, or of an event type
	ReasonUnknownType        = "unknown_type"        // no event type of ours
	ReasonSchema             = "schema"              // a field is missing or wrong
	ReasonKeyMismatch        = "key_mismatch"        // key, subject and worker ID name different people
	ReasonNotFound           = "not_found"           // the HR system does not know (any more) whom it refers to
	ReasonFetchRefused       = "fetch_refused"       // the HR system refuses to tell what it refers to
	ReasonThin               = "thin"                // nothing is configured to fetch what it refers to
	ReasonChannel            = "channel"             // it came by a way that may not say it
	ReasonReusedID           = "reused_id"           // its source and id are those of an event that says something else
	ReasonRefused            = "refused"             // the ledger, Temporal or the broker cannot take it, however often
	ReasonGivenUp            = "given_up"            // it did not pass for too long, while others did
)

// Reasons are all of the reasons above.
var Reasons = []string{
	ReasonTombstone, ReasonNotUTF8, ReasonMalformed, ReasonWrongContentType,
	ReasonUnsupportedVersion, ReasonUnknownType, ReasonSchema, ReasonKeyMismatch, ReasonThin, ReasonNotFound, ReasonFetchRefused,
	ReasonChannel,
	ReasonReusedID, ReasonRefused, ReasonGivenUp,
}
