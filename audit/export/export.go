// Package export renders rows of the audit record for other systems: as JSON Lines, as events
// of the Open Cybersecurity Schema Framework (OCSF), and in the Common Event Format (CEF). It is
// pure.
//
// Rows hold texts that strangers chose, such as names that an HR system sent. Whatever they
// are, a message is one line, and no text ends a field before its end.
package export

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tenurehq/tenure/audit"
)

// State says what is known of a row besides what it says.
type State string

// The states of rows.
const (
	Sound    State = ""
	Redacted State = "redacted" // its texts were erased, and the record says by whom
	Altered  State = "altered"  // it is not what its leaf says: somebody changed it
	Missing  State = "missing"  // there is a leaf, and no row
)

// alarming reports whether somebody tampered with the row.
func (s State) alarming() bool { return s == Altered || s == Missing }

// Record is a row of the audit record with its leaf.
type Record struct {
	Origin string // name of the log
	Leaf   audit.Leaf
	Row    audit.Row // if it is missing, zero but for its number
	State  State
}

// Of returns an entry of the log as a record. A row that was changed or removed is exported as
// such, so that whoever receives the record hears of it.
func Of(origin string, e audit.Entry) Record {
	r := Record{Origin: origin, Leaf: e.Leaf, Row: audit.Row{Seq: e.Seq}, State: Missing}
	if e.Row == nil {
		return r
	}
	r.Row, r.State = *e.Row, Sound
	switch {
	case tlog.RecordHash(r.Row.Leaf(r.Leaf.Text)) != r.Leaf.Hash, !r.Row.Redacted && r.Row.Digest() != r.Leaf.Text:
		r.State = Altered
	case r.Row.Redacted:
		r.State = Redacted
	}
	return r
}

// ID identifies the record: it is the same each time, and that of no other row, even if a
// restored ledger gives the number of the leaf again.
func (r Record) ID() string {
	return fmt.Sprintf("%s:%d:%s", r.Origin, r.Leaf.N, r.shortHash())
}

func (r Record) shortHash() string { return hex.EncodeToString(r.Leaf.Hash[:8]) }

// Time returns when the row was written.
func (r Record) Time() time.Time { return time.UnixMicro(r.Row.At).UTC() }

// detail returns the detail as JSON; nil if there is none.
func (r Record) detail() json.RawMessage {
	if r.Row.Detail == nil {
		return nil
	}
	return verbatim([]byte(*r.Row.Detail))
}

// fields returns what the detail says, by name.
func (r Record) fields() (fields map[string]any) {
	if r.Row.Detail != nil {
		_ = json.Unmarshal([]byte(*r.Row.Detail), &fields) // else it has no fields
	}
	return fields
}

// Message is a rendered record, or a part of one.
type Message struct {
	ID     string // receivers may drop a message whose ID they have
	Leaf   int64
	At     time.Time
	Action string
	Alarm  bool   // somebody tampered with the row
	Text   []byte // one line, without its end
}

// Format renders records.
type Format struct {
	Name        string
	ContentType string // of lines with a line feed after each
	render      func(r Record, version string) [][]byte
}

// The formats.
var (
	JSONL = Format{Name: "jsonl", ContentType: "application/x-ndjson", render: renderJSONL}
	OCSF  = Format{Name: "ocsf", ContentType: "application/x-ndjson", render: renderOCSF}
	CEF   = Format{Name: "cef", ContentType: "text/plain; charset=utf-8", render: renderCEF}
)

// Formats lists the formats.
var Formats = []Format{JSONL, OCSF, CEF}

// Names lists the names of the formats.
func Names() (names []string) {
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return names
}

// Named returns the format with a name.
func Named(name string) (Format, bool) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return Formats[i], true
}

// longestMessage bounds a message, so that no receiver refuses it for its size, and so holds up
// all that follow, or loses it with others: rsyslog takes frames of 200,000 bytes, a broker of Kafka
// messages of a megabyte, unless they are told otherwise.
const longestMessage = 190 << 10

// shorter are what is done to a record, one after the other, until its messages are short enough.
// Each character of a cause may take six in JSON.
var shorter = []func(r *Record){
	func(*Record) {},
	func(r *Record) {
		if short := `{"too_long":true}`; r.Row.Detail != nil && len(*r.Row.Detail) > len(short) {
			r.Row.Detail = &short
		}
	},
	func(r *Record) { r.Row.Cause = cut(r.Row.Cause, longestMessage/12) },
}

// Render returns the messages of a record: at least one. Version is that of the product.
func (f Format) Render(r Record, version string) (messages []Message) {
	var texts [][]byte
	for _, shorten := range shorter {
		shorten(&r)
		texts = f.render(r, version)
		if !slices.ContainsFunc(texts, func(text []byte) bool { return len(text) > longestMessage }) {
			break
		}
	}
	for i, text := range texts {
		messages = append(messages, Message{ID: r.partID(i), Leaf: r.Leaf.N, At: r.Time(), Action: r.Row.Action, Alarm: r.State.alarming(), Text: text})
	}
	return messages
}

// partID identifies a part of the record.
func (r Record) partID(i int) string {
	if i == 0 {
		return r.ID()
	}
	return fmt.Sprintf("%s:%d", r.ID(), i+1)
}

// cut returns at most n bytes of a text, and whole characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// verbatim returns JSON as it is, and anything else as a string of JSON.
func verbatim(text []byte) json.RawMessage {
	if json.Valid(text) && utf8.Valid(text) {
		return text
	}
	return encoded(string(text))
}

// encoded returns a value as JSON in one line.
func encoded(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // it is made of texts, numbers and valid JSON, which never fail
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
