package export

import (
	"strconv"
	"strings"
)

// What the product is called.
const (
	vendor  = "Tenure"
	product = "Tenure"
	tenure  = "tenure" // the actor of what no human did
)

// Longest values of fields of CEF, in bytes.
const (
	longestReason = 1023
	longestCustom = 4000
	longestUser   = 1023
)

// cefSeverities holds the severities of CEF by those of OCSF.
var cefSeverities = map[int]int{informational: 1, low: 3, medium: 6, high: 9}

func renderCEF(r Record, version string) [][]byte {
	k := kindOf(r)
	action := r.Row.Action
	if action == "" {
		action = string(r.State)
	}
	var out strings.Builder
	out.WriteString("CEF:0")
	for _, field := range []string{vendor, product, version, action, k.title, strconv.Itoa(cefSeverities[k.severity])} {
		out.WriteByte('|')
		out.WriteString(cefHeader.Replace(plain(field)))
	}
	out.WriteByte('|')
	digest := ""
	if r.State != Missing {
		digest = string(r.detail())
	}
	for i, x := range []struct{ key, value, label string }{
		{"rt", strconv.FormatInt(r.Time().UnixMilli(), 10), ""},
		{"externalId", strconv.FormatInt(r.Leaf.N, 10) + ":" + r.shortHash(), ""}, // at most 40 characters
		{"act", r.Row.Action, ""},
		{"suid", cut(r.Row.Actor, longestUser), ""},
		{"suser", cut(r.Row.Login, longestUser), ""},
		{"duid", cut(r.Row.Person, longestUser), ""},
		{"msg", cut(r.Row.Cause, longestReason), ""},
		{"cn1", strconv.FormatInt(r.Leaf.N, 10), "leaf"},
		{"cs1", cut(r.Row.App, longestCustom), "app"},
		{"cs2", r.Origin, "log"},
		{"cs3", cut(digest, longestCustom), "detail"},
		{"cs4", cut(r.Row.Key, longestCustom), "key"},
		{"cs5", string(r.State), "state"},
	} {
		if x.value == "" {
			continue
		}
		if i > 0 {
			out.WriteByte(' ')
		}
		if x.label != "" {
			out.WriteString(x.key + "Label=" + x.label + " ")
		}
		out.WriteString(x.key)
		out.WriteByte('=')
		out.WriteString(cefValue.Replace(plain(x.value)))
	}
	return [][]byte{[]byte(out.String())}
}

// cefHeader and cefValue escape what ends a field. In a header there are no line breaks.
var (
	cefHeader = strings.NewReplacer(`\`, `\\`, "|", `\|`, "\r", " ", "\n", " ")
	cefValue  = strings.NewReplacer(`\`, `\\`, "=", `\=`, "\r", `\r`, "\n", `\n`)
)

// plain returns a text without characters that control the screen or the line on which it is
// shown, but for line breaks, which are escaped afterwards.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\r':
			return c
		case c < ' ', c >= 0x7f && c < 0xa0, c == '\u2028', c == '\u2029':
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
