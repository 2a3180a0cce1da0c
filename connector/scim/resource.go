package scim

import (
	"encoding/json"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// resource is a SCIM resource, or a complex attribute of one, as it was sent.
type resource map[string]any

// at returns the value at a path, or nil.
func (r resource) at(path ...string) any {
	var value any = map[string]any(r)
	for _, name := range path {
		inner, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = inner[name]
	}
	return value
}

// text returns the text at a path, or "".
func (r resource) text(path ...string) string {
	text, _ := r.at(path...).(string)
	return text
}

// list returns the complex values of a multi-valued attribute, and whether the
// attribute is there at all.
func (r resource) list(name string) (values []resource, ok bool) {
	raw, ok := r[name].([]any)
	for _, value := range raw {
		if complexValue, isComplex := value.(map[string]any); isComplex {
			values = append(values, complexValue)
		}
	}
	return values, ok
}

// etag returns the version for If-Match: the header's if there was one.
func (r resource) etag(header string) string {
	if header != "" {
		return header
	}
	return r.text("meta", "version")
}

// active reads the attribute of that name. An account of which the service does
// not say counts as active: nobody's access has ended until that is proven.
func (r resource) active(op string) (bool, error) {
	switch value := r["active"].(type) {
	case nil:
		return true, nil
	case bool:
		return value, nil
	case string: // against RFC 7643, but seen in the field
		switch strings.ToLower(value) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, &connector.Error{
		Kind: connector.KindInvalid, Op: op,
		Message: `the app's answer has neither true nor false in "active"`,
	}
}

// plain makes a JSON value one of the types of connector.Account.Attributes, or
// nil if it is none of them.
func plain(value any) any {
	switch v := value.(type) {
	case string, bool:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		return v.String()
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil
			}
			list = append(list, text)
		}
		return list
	default:
		return nil
	}
}
