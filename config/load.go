package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/connector"
	connectors "github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/hr/source"
	sources "github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/policy"
)

// Load reads and checks the configuration at path, with all its secrets and files. It
// connects to nothing. The error joins a *FieldError for everything that is wrong, in
// the order of the file.
func Load(path string) (*Config, error) { return LoadFor(path, Parts()...) }

// LoadFor is Load for a program that uses only these parts of the configuration: their
// secrets and the files that they name have to exist. Of the other parts, the form is
// checked.
func LoadFor(path string, parts ...Part) (*Config, error) {
	l := &loader{
		needs:     parts,
		file:      path,
		lookupEnv: os.LookupEnv,
		readFile:  os.ReadFile,
		folder:    os.DirFS,
		kinds:     connectors.Kinds(),
		sources:   sources.Kinds(),
	}
	return l.load()
}

// loader holds the state of one call of Load, and how it reads files and the environment.
type loader struct {
	file      string
	needs     []Part // whose secrets and files have to be there
	lookupEnv func(string) (string, bool)
	readFile  func(string) ([]byte, error)
	folder    func(string) fs.FS
	kinds     []connector.Kind
	sources   []source.Kind

	sourceFiles []sourceFile // the configuration, and what it includes
	nodes       nodes        // of every field that was read
	problems    []*FieldError
	warnings    []*FieldError
	signIns     []signIn
}

func (l *loader) load() (*Config, error) {
	content, err := l.readFile(l.file)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", l.file, reason(err))
	}
	root, err := l.parse(content)
	if err != nil {
		return nil, err
	}
	l.nodes = make(nodes)
	l.add(l.file, content, root)
	l.include(root)
	cfg, rules := l.document(value{l: l, node: root, is: &document, at: place{1, 1}})
	l.checkSignIns(cfg, rules)
	l.checkMapped(cfg, rules)
	cfg.Policy = l.compile(rules)
	if len(l.problems) > 0 {
		return nil, errors.Join(l.errors()...)
	}
	cfg.Warnings = l.shown(l.warnings)
	return cfg, nil
}

// parse reads the one document of the configuration itself.
func (l *loader) parse(content []byte) (*yaml.Node, error) {
	root, problem := parseFile(l.file, content)
	if problem != nil {
		return nil, problem
	}
	return root, nil
}

// parseFile reads the one document of a file.
func parseFile(file string, content []byte) (*yaml.Node, *FieldError) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: 1, Column: 1}, nil
	case err != nil:
		return nil, syntaxError(file, err)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return resolved(document.Content[0]), nil
	case err != nil:
		return nil, syntaxError(file, err)
	}
	return nil, &FieldError{File: file, Line: second.Line, Column: second.Column, Text: "a second document begins here: there must be one only"}
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError is an error of the YAML parser, which names the line, or the one
// before it, or none.
func syntaxError(file string, err error) *FieldError {
	p := &FieldError{File: file, Line: 1, Column: 1, Text: "no YAML near here: " + err.Error()}
	if m := yamlError.FindStringSubmatch(err.Error()); m != nil {
		p.Text = "no YAML near here: " + m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			p.Line = line
		}
	}
	return p
}

// compile compiles the rules, and finds the place of what is wrong with them.
func (l *loader) compile(rules policy.Rules) *policy.Policy {
	compiled, err := policy.Compile(rules)
	l.failRules(err)
	return compiled
}

// failRules reports what is wrong with expressions and rules, if anything.
func (l *loader) failRules(err error) {
	if err == nil {
		return
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		l.fail(place{1, 1}, "", "%s", err)
		return
	}
	for _, err := range joined.Unwrap() {
		var field *policy.FieldError
		switch {
		case !errors.As(err, &field):
			l.fail(place{1, 1}, "", "%s", err)
		case !l.failed(field.Path): // else it was not even read
			l.fail(l.locate(field), field.Path, "%s", field.Text)
		}
	}
}

// reason returns why a file cannot be read, without its path, which the message has
// already.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
