package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/settings"
)

// value is one value of the document: what it says, where, and what it is declared as.
type value struct {
	l      *loader
	node   *yaml.Node
	is     *settings.Setting // nil if a kind declares it, or nobody
	path   string            // "roles[1].when"
	at     place             // of what the value as a whole is blamed on: its key, if it has one
	preset bool              // it is a default, which stands nowhere
}

// key is a key of a mapping, and what is to be done with its value.
type key struct {
	name string
	read func(value)
}

// on reads a key in a way of its own.
func on(name string, read func(value)) key { return key{name, read} }

// into reads a key by its declared type.
func into[T any](name string, dest *T) key {
	return key{name, func(v value) { *dest = v.typed().(T) }}
}

// failf reports that the value is wrong.
func (v value) failf(format string, args ...any) { v.l.fail(placeOf(v.node), v.path, format, args...) }

// mapping reads a mapping with the keys that are declared for it and no others, in the
// order given here, not in the document's. An absent key is read as its default.
func (v value) mapping(keys ...key) {
	names := v.names(keys)
	entries, ok := v.pairs()
	if !ok {
		return
	}
	present := make(map[string]value, len(entries))
	for _, entry := range entries {
		if !slices.Contains(names, entry.name) {
			v.l.fail(entry.value.at, entry.value.path, "unknown key%s", hint(entry.name, names))
		}
		present[entry.name] = entry.value
	}
	for _, k := range keys {
		declared := v.is.Key(k.name)
		if child, ok := present[k.name]; ok {
			k.read(child)
		} else if declared.Required {
			v.l.fail(v.at, join(v.path, k.name), "is missing")
		} else if declared.Default != nil && !v.is.Inherits {
			k.read(v.byDefault(declared))
		}
	}
}

// names lists the keys. It panics unless they are those that are declared.
func (v value) names(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
		if v.is.Key(k.name) == nil {
			panic(fmt.Sprintf("config: key %q of %q is read and not declared", k.name, v.path))
		}
	}
	if len(names) != len(v.is.Keys) {
		panic(fmt.Sprintf("config: of %q, %d keys are declared and %d are read", v.path, len(v.is.Keys), len(names)))
	}
	return names
}

// byDefault returns the value of a key that is absent.
func (v value) byDefault(declared *settings.Setting) value {
	node := &yaml.Node{}
	if err := node.Encode(declared.Default); err != nil {
		panic(fmt.Sprintf("config: the default of %q: %s", declared.Name, err))
	}
	return value{l: v.l, node: node, is: declared, path: join(v.path, declared.Name), at: v.at, preset: true}
}

// hint says what an unknown key may have been meant to be.
func hint(unknown string, known []string) string {
	if meant := nearest.Hint(unknown, known); meant != "" {
		return meant
	}
	return "; known are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// entries reads a mapping whose keys are names that the operator chose.
func (v value) entries(each func(name string, entry value)) {
	pairs, _ := v.pairs()
	for _, pair := range pairs {
		each(pair.name, pair.value)
	}
}

// pair is one entry of a mapping.
type pair struct {
	name  string
	value value
}

// pairs lists a mapping's entries. Nothing at all is an empty mapping.
func (v value) pairs() ([]pair, bool) {
	switch {
	case isNull(v.node):
		return nil, true
	case v.node.Kind != yaml.MappingNode:
		v.failf("must be a mapping (key: value), not %s", kindOf(v.node))
		return nil, false
	}
	first := make(map[string]int, len(v.node.Content)/2)
	pairs := make([]pair, 0, len(v.node.Content)/2)
	for i := 0; i < len(v.node.Content); i += 2 {
		k, content := v.node.Content[i], resolved(v.node.Content[i+1])
		path := join(v.path, k.Value)
		if line, ok := first[k.Value]; ok {
			v.l.fail(placeOf(k), path, "is there twice (first %s)", v.l.lineOf(line, k.Line))
			continue
		}
		first[k.Value] = k.Line
		child := value{l: v.l, node: content, is: v.item(k.Value), path: path, at: placeOf(k), preset: v.preset}
		v.note(child)
		pairs = append(pairs, pair{name: k.Value, value: child})
	}
	return pairs, true
}

// item returns the declaration of a key, or of an item that is called so; nil if there is
// none.
func (v value) item(name string) *settings.Setting {
	switch {
	case v.is == nil:
		return nil
	case v.is.Each != nil:
		return v.is.Each
	default:
		return v.is.Key(name)
	}
}

// note keeps the node of a value that stands in the document.
func (v value) note(child value) {
	if !v.preset {
		v.l.nodes[child.path] = child.node
	}
}

// list reads a list. Nothing at all is an empty one.
func (v value) list(each func(value)) {
	if isNull(v.node) {
		return
	}
	if v.node.Kind != yaml.SequenceNode {
		v.failf("must be a list ([a, b]), not %s", kindOf(v.node))
		return
	}
	for i, item := range v.node.Content {
		item = resolved(item)
		path := fmt.Sprintf("%s[%d]", v.path, i)
		child := value{l: v.l, node: item, is: v.item(""), path: path, at: placeOf(item), preset: v.preset}
		v.note(child)
		each(child)
	}
}

// texts reads a list of texts.
func (v value) texts() []string {
	var list []string
	v.list(func(item value) { list = append(list, item.text()) })
	return list
}

// text reads a text that is not empty and refers to no secret.
func (v value) text() string {
	text, ok := v.str()
	if ok && strings.Contains(text, "${") {
		v.failf("secrets are known in apps.*.settings, kafka.topics[].settings, ledger.url, kafka.sasl, webhooks, audit and notices only")
	}
	return text
}

// secretText reads a text that is not empty, with the secrets that it refers to.
func (v value) secretText() string {
	text, ok := v.str()
	if !ok {
		return ""
	}
	return v.resolveSecrets(text)
}

func (v value) str() (text string, ok bool) {
	switch {
	case v.node.Kind != yaml.ScalarNode || isNull(v.node):
		v.failf("must be a text, not %s", kindOf(v.node))
	case v.node.Tag != "!!str":
		v.failf("must be a text: put it in quotes")
	case v.node.Value == "":
		v.failf("is empty")
	default:
		return v.node.Value, true
	}
	return "", false
}

// expression reads a CEL expression. One that looks like another kind of scalar
// (true, 42) needs no quotes.
func (v value) expression() string {
	if v.node.Kind != yaml.ScalarNode || isNull(v.node) {
		v.failf("must be an expression, not %s", kindOf(v.node))
		return ""
	}
	if strings.TrimSpace(v.node.Value) == "" {
		v.failf("an expression is missing")
	}
	return v.node.Value
}

// scalar reads a scalar of a form of its own: a duration, a rate, an instant.
func scalar[T any](v value, parse func(string) (T, error)) T {
	var zero T
	if v.node.Kind != yaml.ScalarNode || isNull(v.node) {
		v.failf("must be a scalar, not %s", kindOf(v.node))
		return zero
	}
	parsed, err := parse(v.node.Value)
	if err != nil {
		v.failf("%s", err)
		return zero
	}
	return parsed
}

func (v value) boolean() bool {
	return scalar(v, func(text string) (bool, error) {
		if v.node.Tag != "!!bool" {
			return false, errors.New("must be true or false")
		}
		return strings.EqualFold(text, "true"), nil
	})
}

func resolved(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "nothing"
	default:
		return "a scalar" // not which: somebody may have written a secret here
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
