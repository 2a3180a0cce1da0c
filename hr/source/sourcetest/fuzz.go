package sourcetest

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/tenurehq/tenure/hr/source"
)

// Fuzz looks for records that break the rules of decoders, starting from the examples. A
// decoder never panics, is pure, returns only valid events, and quotes no value of the
// record in an error or a warning.
func Fuzz(f *testing.F, kind source.Kind, settings source.Settings) {
	for _, e := range Examples(f) {
		f.Add(e.Record.Value, e.Record.Headers["content-type"], []byte(nil))
		for _, answer := range e.Fetched {
			f.Add(e.Record.Value, e.Record.Headers["content-type"], answer)
		}
	}
	decode := Open(f, kind, settings).Decode
	f.Fuzz(func(t *testing.T, value []byte, contentType string, answer []byte) {
		r := source.Record{Value: value, Headers: map[string]string{"content-type": contentType}, Time: Time}
		_ = kind.KeyOf(r)
		_, warnings, err := Decode(t, decode, r)
		var thin *source.ThinError
		if errors.As(err, &thin) {
			r.Fetched = make(map[string][]byte)
			for _, ref := range thin.References {
				r.Fetched[ref] = answer
			}
			_, warnings, err = Decode(t, decode, r)
		}
		quotesNothing(t, decode, r, said(warnings, err))
	})
}

func said(warnings []source.Warning, err error) string {
	var b strings.Builder
	for _, w := range warnings {
		b.WriteString(w.Field + " " + w.Text + "\n")
	}
	if err != nil {
		b.WriteString(err.Error())
	}
	return b.String()
}

// longWord matches words that are long enough to tell a value from a word of a message.
var longWord = regexp.MustCompile(`[A-Za-z0-9@._-]{12,}`)

// quotesNothing fails if a message quotes a value of the record. A long word that is in the
// record and in the message may be the message's own. It is a quotation if the message
// changes with the record.
func quotesNothing(t *testing.T, decode source.Decoder, r source.Record, message string) {
	for _, word := range longWord.FindAll(r.Value, 20) {
		if !strings.Contains(message, string(word)) || isName(r.Value, word) {
			continue
		}
		other := bytes.Repeat([]byte{'q'}, len(word))
		changed := r
		changed.Value = bytes.ReplaceAll(r.Value, word, other)
		_, warnings, err := decode(changed)
		if strings.Contains(said(warnings, err), string(other)) {
			t.Fatalf("a message quotes %q:\n%s", word, message)
		}
	}
}

// isName reports whether a word is the name of a field. Messages may quote names.
func isName(value, word []byte) bool {
	name := regexp.QuoteMeta(string(word))
	return regexp.MustCompile(`[<&/"?]`+name+`|`+name+`"?\s*[:=>]`).Match(value) &&
		!regexp.MustCompile(`:\s*"`+name+`"\s*[,}\]]`).Match(value)
}
