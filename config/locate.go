package config

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/policy"
)

// nodes maps paths to the nodes of the document.
type nodes map[string]*yaml.Node

// locate finds the place in the file of what is wrong with a field of the rules.
func (l *loader) locate(field *policy.FieldError) place {
	for path := field.Path; path != ""; path = parent(path) {
		if node, ok := l.nodes[path]; ok {
			return l.inside(node, field.Line, field.Column)
		}
	}
	return place{1, 1}
}

// parent is the path without its last part.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// inside returns the place of a line and column (from 1) of a scalar's text. If the file
// does not show the text as it is (folded, escaped), that is the scalar's beginning.
func (l *loader) inside(node *yaml.Node, line, column int) place {
	at := placeOf(node)
	switch {
	case line == 0 || node.Kind != yaml.ScalarNode:
		return at
	case node.Style&yaml.LiteralStyle != 0:
		// The text begins in the line after the "|", all of it indented.
		first := l.line(at.line + 1)
		indent := len(first) - len(strings.TrimLeft(first, " "))
		return place{line: at.line + line, column: indent + column}
	}
	begins := at.column
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		begins++
	}
	if source := []rune(l.line(at.line)); begins <= len(source) && strings.HasPrefix(string(source[begins-1:]), node.Value) {
		return place{line: at.line, column: begins + column - 1}
	}
	return at
}

// line is a line of the file, from 1.
func (l *loader) line(n int) string {
	file, n := l.fileOf(n)
	if n < 1 || n > len(file.lines) {
		return ""
	}
	return file.lines[n-1]
}
