package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tenurehq/tenure/schemas"
)

// maxDepth is how deep objects and arrays may nest. No HR system needs ten levels.
const maxDepth = 32

// ParseJSON reads JSON as encoding/json does, but refuses text that other readers might
// understand differently (invalid UTF-8, a name twice in one object) and deep nesting,
// which only an attacker needs. Numbers are json.Number.
func ParseJSON(text []byte) (any, *Error) {
	if !utf8.Valid(text) {
		return nil, &Error{Reason: ReasonNotUTF8, Text: "is not UTF-8"}
	}
	// First as a whole: tokens alone do not show every mistake.
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		problem := "is not JSON"
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			problem += fmt.Sprintf(" (at byte %d)", syntax.Offset)
		}
		return nil, &Error{Reason: ReasonMalformed, Text: problem}
	}
	p := parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	return p.value()
}

// parser reads values of valid JSON.
type parser struct{ *json.Decoder }

func (p parser) value(path ...string) (any, *Error) {
	token, err := p.Token()
	if err != nil {
		return nil, Malformed(path, "is not JSON")
	}
	delimiter, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case len(path) >= maxDepth:
		return nil, Malformed(path, fmt.Sprintf("is nested more than %d levels deep", maxDepth))
	case delimiter == '{':
		return p.object(path)
	default:
		return p.array(path)
	}
}

func (p parser) object(path []string) (any, *Error) {
	object := make(map[string]any)
	for p.More() {
		token, err := p.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, Malformed(path, "is not JSON")
		}
		at := Below(path, name)
		if _, ok := object[name]; ok {
			return nil, Malformed(at, "is there twice")
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

func (p parser) array(path []string) (any, *Error) {
	list := []any{}
	for p.More() {
		value, refusal := p.value(Below(path, fmt.Sprint(len(list)))...)
		if refusal != nil {
			return nil, refusal
		}
		list = append(list, value)
	}
	_, _ = p.Token()
	return list, nil
}

// Flatten returns an object's texts, numbers and booleans as texts, by name. Fields of
// inner objects have names with dots ("workLocation.city"). Lists, nulls and empty texts
// are left out. ParseJSON bounds the depth.
func Flatten(object map[string]any) map[string]string {
	fields := make(map[string]string, len(object))
	flatten(fields, "", object)
	return fields
}

func flatten(fields map[string]string, prefix string, object map[string]any) {
	for name, value := range object {
		switch value := value.(type) {
		case map[string]any:
			flatten(fields, prefix+name+".", value)
		case string:
			if value != "" {
				fields[prefix+name] = value
			}
		case json.Number:
			fields[prefix+name] = value.String()
		case bool:
			fields[prefix+name] = strconv.FormatBool(value)
		}
	}
}

// Below returns the path of the field called name in the object at path.
func Below(path []string, name string) []string { return append(slices.Clip(path), name) }

// Malformed returns the error for a record whose field at path is wrong.
func Malformed(path []string, text string) *Error {
	return &Error{Reason: ReasonMalformed, Field: Printable(schemas.Pointer(path...)), Text: text}
}

// Printable returns the name of an unknown field, which may be any text, in a form that is
// fit for a log.
func Printable(field string) string {
	field = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, field)
	const most = 100
	if runes := []rune(field); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return field
}
