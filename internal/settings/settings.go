// Package settings declares the settings that a configuration may have: their names, types,
// defaults and purpose. Readers, documentation and the JSON schema come from the same
// declaration.
//
// Read reads the settings of one app or HR system by the declaration of its kind. An
// undeclared, missing or ill-typed setting is an error. Package config reads tenure.yaml by
// its own declaration. The package imports package secret and the standard library only.
package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/secret"
)

// Setting declares one setting: a key of a mapping.
type Setting struct {
	Name     string
	Type     Type
	Required bool
	// Default is the value of an absent setting; nil is the type's zero. A kind's setting
	// has it as its getter returns it: a string, bool, int or time.Duration. A key of
	// tenure.yaml has it as it is written there: with the default Empty, an absent mapping
	// has the defaults of its keys.
	Default any
	Choices []string // of a TypeText: the only values there are
	Text    string   // what it is for: one sentence or two

	// The following fields are for keys of tenure.yaml.

	Keys       []Setting // of a TypeMapping: the only keys there are
	Each       *Setting  // of a TypeList or TypeNamed: what each item is
	Names      string    // of a TypeNamed: the pattern of the names
	AtLeastOne bool      // a list must not be empty
	With       string    // the key without which this one must not be there
	Inherits   bool      // a TypeMapping whose absent keys have the values of another mapping, and no defaults
	Nullable   bool      // a TypeMapping with required keys may be null, as if it were absent
}

// Key returns the declaration of a key of a TypeMapping, or nil if there is none.
func (s *Setting) Key(name string) *Setting {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// Empty returns the default of a mapping that is absent and whose keys have defaults.
func Empty() map[string]any { return map[string]any{} }

// Type is the form of a setting's value, in words for the documentation.
type Type string

// The types of settings.
const (
	TypeText     Type = "text"
	TypeSecret   Type = "secret" // a text that may be a reference, and is read anew each time it is used
	TypeBool     Type = "true or false"
	TypeInt      Type = "whole number" // above zero
	TypeDuration Type = "duration"     // above zero
	TypeTexts    Type = "list of texts"
	TypeMap      Type = "mapping of texts" // name to text
	TypeSettings Type = "settings"         // of another kind
)

// The further types of keys of tenure.yaml. A text there is not empty.
const (
	TypeMapping    Type = "mapping" // with Keys
	TypeNamed      Type = "mapping of names"
	TypeList       Type = "list"
	TypeExpression Type = "expression"
	TypePeriod     Type = "duration, or 0" // with days
	TypeSpan       Type = "duration, not 0"
	TypeInstant    Type = "instant (RFC 3339)"
	TypeListen     Type = "address, host:port"
	TypeAddress    Type = "address with a host, host:port"
	TypeHeader     Type = "HTTP header"
	TypePath       Type = "path of a URL"
	TypeFile       Type = "path of a file"
	TypeLedgerURL  Type = "URL"
	TypeRate       Type = "rate"
	TypeSize       Type = "size"
	TypeShare      Type = "percentage"
	TypeCount      Type = "number of people"
	TypeTimes      Type = "number of times"
	TypeLength     Type = "number of characters"
	TypeSeats      Type = "number of seats, or percentage"
	TypeCalls      Type = "number of calls"
	TypeFactor     Type = "number above 0"
	TypeCredential Type = "reference to a secret" // which must not be written out
)

// wants holds the error texts for values that are not of their type.
var wants = map[Type]string{ //nolint:gosec // G101: it is about credentials and holds none
	TypeText:     "must be text (put it in quotes)",
	TypeSecret:   "must be text (put it in quotes)",
	TypeBool:     "must be true or false",
	TypeInt:      "must be a whole number above zero",
	TypeDuration: `must be a duration above zero, such as "15s", "2m" or "30d"`,
	TypeTexts:    "must be a list of texts",
	TypeMap:      "must be a mapping of names to texts",
	TypeSettings: "must be a mapping",
}

// Values holds checked settings. A getter panics for a setting that the kind does not
// declare with the getter's type, since that is a programming error. No error holds a
// setting's value, since any value may be a secret.
type Values struct {
	declared map[string]Setting
	set      map[string]any  // by name, of the Go type that its getter returns
	withheld map[string]bool // settings that are set to a value that is not known here: see secret.Withheld
	problems []string
}

// Read checks the settings of the configuration against those that are declared.
func Read(declared []Setting, settings map[string]any) *Values {
	v := &Values{
		declared: make(map[string]Setting, len(declared)), set: make(map[string]any, len(settings)), withheld: make(map[string]bool),
	}
	for _, s := range declared {
		v.declared[s.Name] = s
		v.read(s, settings[s.Name])
	}
	names := make([]string, 0, len(declared))
	for name := range v.declared {
		names = append(names, name)
	}
	slices.Sort(names)
	known := "known are " + strings.Join(names, ", ")
	if len(names) == 0 {
		known = "there are none"
	}
	var unknown []string
	for name := range settings {
		if _, ok := v.declared[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		v.Reject(name, "is not known ("+known+")")
	}
	return v
}

func (v *Values) read(s Setting, raw any) {
	if raw == nil || raw == "" {
		if s.Required {
			v.Reject(s.Name, "is missing")
		}
		return
	}
	if hidden, ok := raw.(secret.Secret); ok && s.Type != TypeSecret && s.Type != TypeSettings {
		text, err := hidden.Reveal()
		switch {
		case errors.Is(err, secret.ErrWithheld):
			v.withheld[s.Name] = true
			return
		case err != nil:
			v.Reject(s.Name, "cannot be had: "+err.Error())
			return
		}
		raw = text
	}
	value, ok := converters[s.Type](raw)
	if !ok {
		v.Reject(s.Name, wants[s.Type])
		return
	}
	if text, isText := value.(string); isText && len(s.Choices) > 0 && !slices.Contains(s.Choices, text) {
		v.Reject(s.Name, "must be one of "+strings.Join(s.Choices, ", "))
		return
	}
	v.set[s.Name] = value
}

// converters turn values of the configuration into what a getter returns.
var converters = map[Type]func(raw any) (value any, ok bool){
	TypeText: func(raw any) (any, bool) { s, ok := raw.(string); return s, ok },
	TypeSecret: func(raw any) (any, bool) {
		if s, ok := raw.(string); ok {
			return secret.Of(s), true
		}
		s, ok := raw.(secret.Secret)
		return s, ok
	},
	TypeBool:     func(raw any) (any, bool) { b, ok := raw.(bool); return b, ok },
	TypeInt:      func(raw any) (any, bool) { n, ok := raw.(int); return n, ok && n > 0 },
	TypeDuration: duration,
	TypeTexts: func(raw any) (any, bool) {
		list, ok := raw.([]any)
		texts := make([]string, len(list))
		for i, item := range list {
			text, isText := item.(string)
			texts[i], ok = text, ok && isText
		}
		return texts, ok
	},
	TypeMap: func(raw any) (any, bool) {
		mapping, ok := raw.(map[string]any)
		texts := make(map[string]string, len(mapping))
		for name, item := range mapping {
			text, isText := item.(string)
			texts[name], ok = text, ok && isText
		}
		return texts, ok
	},
	TypeSettings: func(raw any) (any, bool) { m, ok := raw.(map[string]any); return m, ok },
}

// Has reports whether the setting is set.
func (v *Values) Has(name string) bool {
	_, ok := v.set[name]
	return ok || v.withheld[name]
}

// Withholds reports whether the setting is set and its value is not known here, so that
// nothing that depends on it can be checked.
func (v *Values) Withholds(name string) bool { return v.withheld[name] }

// Text returns a TypeText.
func (v *Values) Text(name string) string { return get[string](v, name) }

// Secret returns a TypeSecret.
func (v *Values) Secret(name string) secret.Secret { return get[secret.Secret](v, name) }

// Bool returns a TypeBool.
func (v *Values) Bool(name string) bool { return get[bool](v, name) }

// Int returns a TypeInt.
func (v *Values) Int(name string) int { return get[int](v, name) }

// Duration returns a TypeDuration.
func (v *Values) Duration(name string) time.Duration { return get[time.Duration](v, name) }

// Texts returns a TypeTexts.
func (v *Values) Texts(name string) []string { return get[[]string](v, name) }

// Map returns a TypeMap.
func (v *Values) Map(name string) map[string]string { return get[map[string]string](v, name) }

// Settings returns a TypeSettings.
func (v *Values) Settings(name string) map[string]any { return get[map[string]any](v, name) }

func get[T any](v *Values, name string) T {
	s, ok := v.declared[name]
	if !ok {
		panic(fmt.Sprintf("settings: setting %q is read and not declared", name))
	}
	value, ok := v.set[name]
	if !ok {
		value = s.Default
	}
	if value == nil {
		var zero T
		return zero
	}
	return value.(T)
}

// Reject records that a setting's value is wrong. why completes the sentence that the
// setting's name begins, and does not hold the value. Reject ignores a setting whose value
// is not known here.
func (v *Values) Reject(name, why string) {
	if v.withheld[name] {
		return
	}
	v.problems = append(v.problems, fmt.Sprintf("setting %q %s", name, why))
}

// Err returns everything that is wrong with the settings, or nil.
func (v *Values) Err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(v.problems, "; "))
}
