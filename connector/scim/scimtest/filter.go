package scimtest

import (
	"slices"
	"strings"
)

// expression is a parsed filter (RFC 7644 section 3.4.2.2).
type expression interface {
	matches(object map[string]any) bool
	// names returns the attributes that it looks at, in lower case.
	names() []string
}

type (
	and struct{ left, right expression }
	or  struct{ left, right expression }
	not struct{ inner expression }

	// comparison compares a text or a boolean; value is nil for "pr".
	comparison struct {
		path     path
		operator string
		value    any
	}
	// within is a filter on the values of a list: emails[type eq "work"].
	within struct {
		path  path
		inner expression
	}
)

func (e and) matches(o map[string]any) bool { return e.left.matches(o) && e.right.matches(o) }
func (e or) matches(o map[string]any) bool  { return e.left.matches(o) || e.right.matches(o) }
func (e not) matches(o map[string]any) bool { return !e.inner.matches(o) }

func (e and) names() []string        { return slices.Concat(e.left.names(), e.right.names()) }
func (e or) names() []string         { return slices.Concat(e.left.names(), e.right.names()) }
func (e not) names() []string        { return e.inner.names() }
func (e comparison) names() []string { return []string{strings.ToLower(e.path[0].Name)} }
func (e within) names() []string     { return []string{strings.ToLower(e.path[0].Name)} }

func (e within) matches(o map[string]any) bool {
	for _, value := range e.path.values(o) {
		if object, ok := value.(map[string]any); ok && e.inner.matches(object) {
			return true
		}
	}
	return false
}

func (e comparison) matches(o map[string]any) bool {
	values := e.path.values(o)
	if e.operator == "pr" {
		return len(values) > 0
	}
	if len(values) == 0 {
		return e.operator == "ne"
	}
	return slices.ContainsFunc(values, e.holds)
}

func (e comparison) holds(value any) bool {
	want, isText := e.value.(string)
	got, _ := value.(string)
	if !isText {
		return (value == e.value) == (e.operator == "eq")
	}
	if !e.path.last().CaseExact {
		want, got = strings.ToLower(want), strings.ToLower(got)
	}
	switch e.operator {
	case "eq":
		return got == want
	case "ne":
		return got != want
	case "co":
		return strings.Contains(got, want)
	case "sw":
		return strings.HasPrefix(got, want)
	case "ew":
		return strings.HasSuffix(got, want)
	case "gt":
		return got > want
	case "ge":
		return got >= want
	case "lt":
		return got < want
	default: // "le": the parser lets no other through
		return got <= want
	}
}
