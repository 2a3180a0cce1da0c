package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr"
)

// Clue describes a record that no decoder can read. It is enough to tell whom the record
// is about and whether it is urgent, and not enough to act on it. It holds no personal data
// but the person's ID: it leaves out any text that does not look like an identifier.
type Clue struct {
	Person string // ID; empty if it cannot be told
	Type   string // the event's, as its sender calls it; empty if it cannot be told
	Source string // the event's
	ID     string // the event's
	// Urgent means that the record was to end somebody's access: it names a termination or
	// a suspension. A record whose kind cannot be told is not urgent.
	Urgent bool
}

// LookAt looks for clues in any record, even one that is no JSON: in its key, its ce_
// headers, and the readable part of its value. A decoder that knows more sets the fields
// of its Error.
func LookAt(r Record) Clue {
	body := sight{fields: map[string]string{}}
	body.walk(r.Value)
	first := func(fit func(string) bool, candidates ...string) string {
		for _, c := range candidates {
			if c != "" && fit(c) {
				return c
			}
		}
		return ""
	}
	kind := []string{r.Headers["ce_type"], body.fields["type"]}
	return Clue{
		Person: first(fitsPerson, people(string(r.Key),
			r.Headers["ce_subject"], body.fields["subject"],
			r.Headers["ce_partitionkey"], body.fields["partitionkey"],
			body.fields["data.workerid"], body.fields["workerid"])...),
		Type:   first(identifier.MatchString, kind...),
		Source: first(identifier.MatchString, r.Headers["ce_source"], body.fields["source"]),
		ID:     first(identifier.MatchString, r.Headers["ce_id"], body.fields["id"]),
		Urgent: body.urgent || endsAccess.MatchString(kind[0]) || endsAccess.MatchString(kind[1]),
	}
}

var (
	// identifier matches the names of types, sources and events. It matches no e-mail
	// address.
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+#~-]{0,199}$|^/[A-Za-z0-9._:/+#~-]{0,199}$`)
	// endsAccess finds the types of events that take access away.
	endsAccess = regexp.MustCompile(`(?i)terminat|suspen`)
	// endsAccessInText finds such an event in text that is not valid JSON.
	endsAccessInText = regexp.MustCompile(`(?i)"type"\s*:\s*"[^"]*(terminat|suspen)|"(termination|suspension)"\s*:\s*\{\s*"`)
)

// fitsPerson reports whether a text may be a person's ID.
func fitsPerson(id string) bool { return hr.PersonIDProblem(id) == "" }

// people returns the texts that may name a person, tidied. An ID with invisible characters
// in it most likely names the person who has the ID without them.
func people(texts ...string) []string {
	var names []string
	for _, text := range texts {
		if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
			names = append(names, hr.Text(text))
		}
	}
	return names
}

// sight holds the texts of a value by path ("data.workerid", in lower case). For each path
// it keeps the first text that is not empty.
type sight struct {
	fields map[string]string
	urgent bool
}

// nesting is an object or array that walk has entered and not left.
type nesting struct {
	object  bool
	path    string // of the object; an array has the path of the value that contains it
	name    string // the field whose value comes next
	wantKey bool
	deep    bool // too deep to matter
}

// walk reads tokens until the end or the first one that is not JSON.
func (s *sight) walk(value []byte) {
	tokens := json.NewDecoder(bytes.NewReader(value))
	tokens.UseNumber()
	var in []nesting
	for {
		token, err := tokens.Token()
		if err != nil {
			if len(in) > 0 || !errors.Is(err, io.EOF) { // the JSON is cut off, or the value is no JSON
				s.urgent = s.urgent || endsAccessInText.Match(value)
			}
			return
		}
		var at *nesting
		if len(in) > 0 {
			at = &in[len(in)-1]
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{', '[':
				below := nesting{object: token == '{', wantKey: token == '{'}
				if len(in) < mostNested {
					below.path = at.below()
				} else {
					below.deep = true
				}
				in = append(in, below)
				continue
			default:
				in = in[:len(in)-1]
				if len(in) > 0 {
					in[len(in)-1].next()
				}
				continue
			}
		case string:
			if at != nil && at.wantKey {
				at.name, at.wantKey = strings.ToLower(token), false
				s.urgent = s.urgent || at.path == "termination" || at.path == "suspension" ||
					strings.HasSuffix(at.path, ".termination") || strings.HasSuffix(at.path, ".suspension")
				continue
			}
			if path := at.below(); path != "" && s.fields[path] == "" {
				s.fields[path] = token
			}
		}
		at.next()
	}
}

// mostNested bounds how deep walk looks for clues: an event's data, also in a list.
const mostNested = 4

// below returns the path of the next value.
func (n *nesting) below() string {
	switch {
	case n == nil, n.deep:
		return ""
	case !n.object:
		return n.path
	case n.path == "":
		return n.name
	}
	return n.path + "." + n.name
}

// next makes an object expect the name of its next field.
func (n *nesting) next() {
	if n != nil {
		n.wantKey = n.object
	}
}
