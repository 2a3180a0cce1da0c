package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 hash: of a leaf, of a node of the tree, or of a text.
type Hash = tlog.Hash

// SaltSize is the number of random bytes with which the text of a row is hashed.
const SaltSize = 16

// Row is one row of the audit record as it is stored.
type Row struct {
	Seq     int64
	At      int64 // microseconds since 1970
	Person  string
	App     string
	Action  string
	Actor   string
	Login   string
	Key     string
	Attempt int64

	Text
	// Redacted reports whether the text was erased: Text is empty then, and only its digest,
	// in the leaf, is left.
	Redacted bool
}

// Text holds the parts of a row that may be erased, since humans typed into them. The leaf has
// their digest only.
type Text struct {
	Salt   []byte // SaltSize random bytes; none in rows from before there was a log
	Cause  string
	Detail *string // as it is stored: JSON, or nil
}

// Digest returns the hash of the text. Without the salt it tells nothing about the text.
func (t Text) Digest() Hash {
	return sha256.Sum256(t.hashed(nil))
}

// hashed appends what is hashed.
func (t Text) hashed(b []byte) []byte {
	b = append(b, byte(len(t.Salt)))
	b = append(b, t.Salt...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(t.Cause)))
	b = append(b, t.Cause...)
	if t.Detail == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	return append(b, *t.Detail...)
}

// Leaf returns the leaf of the row, given the digest of its text: JSON with the same keys in the
// same order, without spaces, and with strings escaped as RFC 8785 has it. Different rows have
// different leaves.
func (r Row) Leaf(text Hash) []byte { return r.leaf(nil, text) }

// leaf appends the leaf.
func (r *Row) leaf(b []byte, text Hash) []byte {
	b = append(b, `{"v":1,"seq":`...)
	b = strconv.AppendInt(b, r.Seq, 10)
	b = append(b, `,"at":`...)
	b = strconv.AppendInt(b, r.At, 10)
	for _, field := range [...]struct{ key, value string }{
		{`,"person":`, r.Person}, {`,"app":`, r.App}, {`,"action":`, r.Action}, {`,"actor":`, r.Actor},
		{`,"login":`, r.Login}, {`,"key":`, r.Key},
	} {
		b = append(b, field.key...)
		b = appendString(b, field.value)
	}
	b = append(b, `,"attempt":`...)
	b = strconv.AppendInt(b, r.Attempt, 10)
	b = append(b, `,"text":"`...)
	b = base64.StdEncoding.AppendEncode(b, text[:])
	return append(b, `"}`...)
}

// appendString appends a string of JSON. It leaves bytes that are not UTF-8 as they are, so that
// different strings stay different.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	begun := 0 // of what is as it is
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[begun:i]...)
		begun = i + 1
		if short := strings.IndexByte("\"\\\b\f\n\r\t", c); short >= 0 {
			b = append(b, '\\', `"\bfnrt`[short])
		} else {
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	b = append(b, s[begun:]...)
	return append(b, '"')
}

// Leaf is what the log keeps of a row.
type Leaf struct {
	N    int64 // number in the log, from zero
	Seq  int64 // of the row
	Text Hash  // digest of the row's text
	Hash Hash  // of the leaf
}

// NewLeaf returns the leaf with number n, of a row whose text is there.
func NewLeaf(n int64, r Row) Leaf {
	var room [512]byte // without which each leaf would be four allocations
	text := Hash(sha256.Sum256(r.hashed(room[:0])))
	return Leaf{N: n, Seq: r.Seq, Text: text, Hash: sha256.Sum256(r.leaf(append(room[:0], leafPrefix), text))}
}

// leafPrefix comes before what is hashed of a leaf, as RFC 6962 has it (tlog.RecordHash).
const leafPrefix = 0

// The actions of rows about the record itself.
const (
	ActionRedacted  = "audit_redacted"  // texts were erased; the detail lists the rows
	ActionRestarted = "audit_restarted" // after a restore, the log goes on under another name
)

// KeyRestart is the key of rows with ActionRestarted. The attempt is the number of the epoch
// that begins.
const KeyRestart = "audit:restart"

// Restart is the detail of a row with ActionRestarted: what was known of the log before, which
// the ledger may have lost.
type Restart struct {
	Epoch int64  `json:"epoch"` // that begins: the first one after the beginning is 2
	Size  int64  `json:"size"`  // of the log in the restored ledger
	Lost  int64  `json:"known"` // size of the newest checkpoint of the epoch before that is known; 0: none
	Root  string `json:"root,omitempty"`
}

// Redaction is the detail of a row with ActionRedacted.
type Redaction struct {
	Rows []int64 `json:"rows"` // their numbers (seq)
}

// detail reads the detail of a row, and reports whether it has one of that form.
func (r Row) detail(into any) bool {
	return r.Detail != nil && json.Unmarshal([]byte(*r.Detail), into) == nil
}

// Restarts returns the restart that the row tells of.
func (r Row) Restarts() (restart Restart, is bool) {
	if r.Action != ActionRestarted || r.Key != KeyRestart || r.Person != "" {
		return Restart{}, false
	}
	is = r.detail(&restart)
	restart.Epoch = r.Attempt
	return restart, is
}

// Redacts returns the numbers of the rows of whose redaction the row tells.
func (r Row) Redacts() []int64 {
	var redaction Redaction
	if r.Action != ActionRedacted || !r.detail(&redaction) {
		return nil
	}
	return redaction.Rows
}

// hexadecimal shows a hash as people compare it.
func hexadecimal(h Hash) string { return hex.EncodeToString(h[:]) }
