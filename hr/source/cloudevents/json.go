package cloudevents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/schemas"
)

// maxDepth is how deep objects and arrays may nest. The format needs five levels.
const maxDepth = 32

// parse reads JSON as encoding/json does, but refuses what other readers might
// understand differently (invalid UTF-8, a name twice in one object) and what
// only an attack needs (deep nesting).
func parse(text []byte) (any, *source.Error) {
	if !utf8.Valid(text) {
		return nil, &source.Error{Reason: source.ReasonNotUTF8, Text: "is not UTF-8"}
	}
	// First as a whole: tokens alone do not show every mistake.
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		problem := "is not JSON"
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			problem += fmt.Sprintf(" (at byte %d)", syntax.Offset)
		}
		return nil, &source.Error{Reason: source.ReasonMalformed, Text: problem}
	}
	p := parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	return p.value()
}

// parser reads values of valid JSON.
type parser struct{ *json.Decoder }

func (p parser) value(path ...string) (any, *source.Error) {
	token, err := p.Token()
	if err != nil {
		return nil, malformed(path, "is not JSON")
	}
	delimiter, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case len(path) >= maxDepth:
		return nil, malformed(path, fmt.Sprintf("is nested more than %d levels deep", maxDepth))
	case delimiter == '{':
		return p.object(path)
	default:
		return p.array(path)
	}
}

func (p parser) object(path []string) (any, *source.Error) {
	object := make(map[string]any)
	for p.More() {
		token, err := p.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, malformed(path, "is not JSON")
		}
		at := below(path, name)
		if _, ok := object[name]; ok {
			return nil, malformed(at, "is there twice")
		}
		value, refusal := p.value(at...)
		if refusal != nil {
			return nil, refusal
		}
		object[name] = value
	}
	_, _ = p.Token() // the closing brace: the text as a whole is known to be valid
	return object, nil
}

func (p parser) array(path []string) (any, *source.Error) {
	list := []any{}
	for p.More() {
		value, refusal := p.value(below(path, fmt.Sprint(len(list)))...)
		if refusal != nil {
			return nil, refusal
		}
		list = append(list, value)
	}
	_, _ = p.Token()
	return list, nil
}

// below is the path of a field of what is at path.
func below(path []string, name string) []string { return append(slices.Clip(path), name) }

func malformed(path []string, text string) *source.Error {
	return &source.Error{Reason: source.ReasonMalformed, Field: printable(schemas.Pointer(path...)), Text: text}
}

// prune takes out of objects what means the same as being absent, and refuses
// text that not every store can keep.
func prune(value any, path ...string) *source.Error {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v := object[name]
		at := below(path, name)
		if text, ok := v.(string); ok && hasNUL(text) || hasNUL(name) {
			return malformed(at, "has a NUL character in it")
		}
		if v == nil || v == "" {
			delete(object, name)
			continue
		}
		if refusal := prune(v, at...); refusal != nil {
			return refusal
		}
	}
	return nil
}

func hasNUL(s string) bool { return strings.Contains(s, "\x00") }
