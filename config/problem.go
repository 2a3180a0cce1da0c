package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FieldError is one thing that is wrong with a configuration. It never holds a
// secret.
type FieldError struct {
	File         string // as it was given to Load
	Line, Column int    // from 1
	Path         string // "roles[1].when"; empty for the document as a whole
	Text         string // what is wrong, and what was perhaps meant
}

func (p *FieldError) Error() string {
	if p.Path == "" {
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Path, p.Text)
}

// place is a place in the document.
type place struct{ line, column int }

func placeOf(node *yaml.Node) place { return place{line: node.Line, column: node.Column} }

func (l *loader) fail(at place, path, format string, args ...any) {
	l.problems = append(l.problems, &FieldError{
		File: l.file, Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...),
	})
}

// warn reports what is probably a mistake, and nothing that hinders anybody.
func (l *loader) warn(at place, path, format string, args ...any) {
	l.warnings = append(l.warnings, &FieldError{
		File: l.file, Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...),
	})
}

// shown sorts problems by file and line, and gives each its own file and line.
func (l *loader) shown(problems []*FieldError) []*FieldError {
	slices.SortStableFunc(problems, byPlace)
	for _, p := range problems {
		file, line := l.fileOf(p.Line)
		p.File, p.Line = file.path, line
	}
	return problems
}

func byPlace(a, b *FieldError) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// failed reports whether something is wrong with the field at path itself.
func (l *loader) failed(path string) bool {
	return slices.ContainsFunc(l.problems, func(p *FieldError) bool { return p.Path == path })
}

// failedWithin reports whether something is wrong with the field at path or a part
// of it.
func (l *loader) failedWithin(path string) bool {
	return slices.ContainsFunc(l.problems, func(p *FieldError) bool {
		rest, ok := strings.CutPrefix(p.Path, path)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// errors lists the problems in the order of the document.
func (l *loader) errors() []error {
	errs := make([]error, len(l.problems))
	for i, p := range l.shown(l.problems) {
		errs[i] = p
	}
	return errs
}
