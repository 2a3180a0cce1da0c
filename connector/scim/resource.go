package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/connector"
)

// resource is a SCIM resource, or a complex attribute of one, as it was sent.
type resource map[string]any

// saidTwice is the value of an attribute that a resource has twice with different values (the
// case of the name does not count): the true value is unknown.
type saidTwice struct{}

// UnmarshalJSON implements json.Unmarshaler. If an attribute has two different values, their
// order must not decide which one counts: see saidTwice.
func (r *resource) UnmarshalJSON(raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	switch start, err := decoder.Token(); {
	case err != nil:
		return err
	case start == nil: // null
		*r = nil
		return nil
	case start != json.Delim('{'):
		return errors.New("is no object")
	}
	object := resource{}
	spelling := map[string]string{} // by the name in lower case
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		var value any
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		first, again := spelling[strings.ToLower(name)]
		switch {
		case !again:
			spelling[strings.ToLower(name)] = name
			object[name] = value
		case !reflect.DeepEqual(object[first], value):
			object[first] = saidTwice{}
		}
	}
	*r = object
	return nil
}

// at returns the value at a path, or nil.
func (r resource) at(path ...string) any {
	var value any = map[string]any(r)
	for _, name := range path {
		inner, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = inner[spelled(inner, name)]
	}
	return value
}

// spelled returns an attribute's name in the object's own spelling. It ignores the case (RFC
// 7643 section 2.1). It returns the name itself if the object has no such attribute.
func spelled(object map[string]any, name string) string {
	if _, ok := object[name]; ok {
		return name
	}
	for other := range object {
		if strings.EqualFold(other, name) {
			return other
		}
	}
	return name
}

// text returns the text at a path, or "". A number is its digits: some services have
// numeric IDs.
func (r resource) text(path ...string) string {
	switch value := r.at(path...).(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// value returns the ID that one of a multi-valued attribute's values refers to. Some
// services send its address only, which ends with the ID.
func (r resource) value() string {
	if id := r.text("value"); id != "" {
		return id
	}
	address := r.text("$ref")
	return address[strings.LastIndexByte(address, '/')+1:]
}

// sameID reports whether two IDs are the same. The case of a UUID's digits means
// nothing (RFC 9562 section 4), and services mix it.
func sameID(a, b string) bool { return a == b || idKey(a) == idKey(b) }

// idKey returns an ID in the form in which it can be compared.
func idKey(id string) string {
	if len(id) != 36 && len(id) != 32 || uuid.Validate(id) != nil {
		return id
	}
	return strings.ToLower(id)
}

// list returns the complex values of a multi-valued attribute, and whether the
// attribute is there at all.
func (r resource) list(name string) (values []resource, ok bool) {
	raw, ok := r.at(name).([]any)
	for _, value := range raw {
		switch value := value.(type) {
		case map[string]any:
			values = append(values, respelled(value))
		case string, json.Number: // the value alone, in place of an object
			values = append(values, resource{"value": value})
		}
	}
	return values, ok
}

// respelled returns a value with its sub-attributes spelled as in RFC 7643 section 2.4, so
// that it can be sent back.
func respelled(value resource) resource {
	for _, name := range []string{"value", "display", "type", "primary", "$ref"} {
		if other := spelled(value, name); other != name && value[other] != nil {
			value[name] = value[other]
			delete(value, other)
		}
	}
	return value
}

// etag returns the version for If-Match: the header's if there was one.
func (r resource) etag(header string) string {
	if header != "" {
		return header
	}
	return r.text("meta", "version")
}

// active returns the value of the attribute "active", and whether there is one. If not, the
// account counts as active.
func (r resource) active(op string) (active, shown bool, err error) {
	switch value := r.at("active").(type) {
	case nil:
		return true, false, nil
	case saidTwice:
		return false, false, &connector.Error{
			Kind: connector.KindContradictory, Op: op,
			Message: `the app's answer has "active" twice, and once true and once false: it proves nothing`,
		}
	case bool:
		return value, true, nil
	case json.Number: // against RFC 7643, but some services send it
		switch value.String() {
		case "1":
			return true, true, nil
		case "0":
			return false, true, nil
		}
	case string: // likewise
		switch strings.ToLower(value) {
		case "true":
			return true, true, nil
		case "false":
			return false, true, nil
		}
	}
	return false, false, connector.Invalid(op, `the app's answer has neither true nor false in "active"`)
}

// plain returns a JSON value as one of the types of connector.Account.Attributes, or nil if it
// is none of them.
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

// time returns the instant at a path (RFC 7643 section 2.3.5), or zero.
func (r resource) time(path ...string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, r.text(path...))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// lastUses lists the names that services give to the attribute that says when a user last
// signed in. RFC 7643 has none.
var lastUses = []string{"lastLogin", "lastLoginDate", "lastLoginTime", "lastLoginAt", "lastSignIn", "lastSignInAt", "lastActive"}

// lastUse says what accounts show: see lastUses.
var lastUse = connector.LastUse{
	By:   "what the service counts as one",
	Note: "It is told if the service shows one of " + strings.Join(lastUses, ", ") + ". The standard has no such attribute, so that nobody knows how late it is.",
}

// lastUsed returns when the user last signed in. It reads the service's own attribute, of the
// user itself or of an extension (RFC 7643 section 3.3). It returns zero if there is none.
func (r resource) lastUsed() (last time.Time) {
	among := func(attributes resource) {
		for _, name := range lastUses {
			if at := attributes.time(name); at.After(last) && at.Unix() > 0 { // the epoch stands for never
				last = at
			}
		}
	}
	among(r)
	for name, value := range r {
		if extension, ok := value.(map[string]any); ok && strings.HasPrefix(strings.ToLower(name), "urn:") {
			among(extension)
		}
	}
	return last
}

// put sets the value at a path, and creates the objects on the way.
func (r resource) put(value any, path ...string) {
	inner := map[string]any(r)
	for _, name := range path[:len(path)-1] {
		name = spelled(inner, name)
		next, ok := inner[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			inner[name] = next
		}
		inner = next
	}
	inner[spelled(inner, path[len(path)-1])] = value
}
