package rest

import (
	"encoding/json"
	"time"
)

// Object is a JSON object whose members are not known beforehand. A member that is missing, or
// of another type than was asked for, reads as the type's zero value.
type Object map[string]any

// Text returns a text; a number counts as the text that it was written as.
func (o Object) Text(name string) string {
	switch value := o[name].(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// Is reports whether the member is true.
func (o Object) Is(name string) bool {
	yes, _ := o[name].(bool)
	return yes
}

// Time returns a time (RFC 3339), in UTC. The Unix epoch stands for none, as vendors write it
// for what never was.
func (o Object) Time(name string) time.Time {
	at, err := time.Parse(time.RFC3339, o.Text(name))
	if err != nil || at.Unix() <= 0 {
		return time.Time{}
	}
	return at.UTC()
}

// Texts returns the texts of a list.
func (o Object) Texts(name string) []string {
	var texts []string
	items, _ := o[name].([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Objects returns the objects of a list.
func (o Object) Objects(name string) []Object {
	var objects []Object
	items, _ := o[name].([]any)
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// In returns the object inside; nil if there is none.
func (o Object) In(name string) Object {
	inner, _ := o[name].(map[string]any)
	return inner
}

// Int returns a whole number, or missing if there is none.
func (o Object) Int(name string, missing int) int {
	number, _ := o[name].(json.Number)
	value, err := number.Int64()
	if err != nil {
		return missing
	}
	return int(value)
}
