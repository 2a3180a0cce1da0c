package export

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// line is a record as JSON Lines have it.
type line struct {
	ID     string          `json:"id"`
	Leaf   int64           `json:"leaf"`
	Hash   string          `json:"hash"`
	Time   string          `json:"time,omitempty"`
	Record json.RawMessage `json:"record,omitempty"` // the leaf, byte for byte
	Salt   []byte          `json:"salt,omitempty"`
	Cause  string          `json:"cause,omitempty"`
	Detail json.RawMessage `json:"detail,omitempty"`
	State  State           `json:"state,omitempty"`
}

func renderJSONL(r Record, _ string) [][]byte { return [][]byte{encoded(r.line())} }

// line returns the record as JSON Lines have it.
func (r Record) line() line {
	l := line{ID: r.ID(), Leaf: r.Leaf.N, Hash: hex.EncodeToString(r.Leaf.Hash[:]), State: r.State}
	if r.State != Missing {
		l.Time, l.Record = r.Time().Format(time.RFC3339Nano), verbatim(r.Row.Leaf(r.Leaf.Text))
		l.Salt, l.Cause, l.Detail = r.Row.Salt, r.Row.Cause, r.detail()
	}
	return l
}
