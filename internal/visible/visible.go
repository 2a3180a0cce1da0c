// Package visible escapes texts that may come from outside, so that a terminal shows
// them and does nothing else. It imports the standard library only.
package visible

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Rune reports whether a terminal shows a rune and does nothing else: no control or
// format character (they move the cursor, reverse text, or cannot be seen), no line or
// paragraph separator, no private use.
func Rune(r rune) bool { return !unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }

// Line returns a text as one line that is safe to show. It escapes everything that is not
// visible, and line ends.
func Line(s string) string { return Escaped(s, "") }

// Lines returns a text of several lines that is safe to show.
func Lines(s string) string { return Escaped(s, "\n\t") }

// Escaped escapes all runes that are not visible, as Go does, except the runes in keep.
func Escaped(s, keep string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case Rune(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(fmt.Sprintf("%+q", r), "'"))
		}
		i += size
	}
	return b.String()
}

// JSON escapes the runes in JSON that are not visible and that encoding/json does not escape.
// Only strings can hold such runes, so the meaning stays the same.
func JSON(text []byte) []byte {
	return Replaced(text, func(r rune) string {
		if high, low := utf16.EncodeRune(r); r > 0xffff {
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

// Replaced replaces every rune that is not visible, except line ends, by the result of escape.
func Replaced(text []byte, escape func(rune) string) []byte {
	var b bytes.Buffer
	for _, r := range string(text) {
		if r == '\n' || Rune(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(escape(r))
		}
	}
	return b.Bytes()
}

// JSONWriter writes JSON that is safe to show: see JSON. Each call has to write whole
// characters.
type JSONWriter struct{ io.Writer }

// Write implements io.Writer.
func (w JSONWriter) Write(p []byte) (int, error) {
	if _, err := w.Writer.Write(JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
