package schemas

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The names of the schemas.
const (
	Event     = "event"      // a CloudEvent in JSON format
	EventData = "event-data" // the data of an event of any type
)

// base begins the schemas' identifiers. Nothing is ever loaded from that address.
const base = "https://tenurehq.com/schemas/"

//go:embed *.schema.json
var files embed.FS

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct{ compiled *jsonschema.Schema }

// Load compiles the schema of that name. Schemas may refer to each other.
func Load(name string) (*Schema, error) {
	compiler, err := newCompiler()
	if err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(base + name + suffix)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	return &Schema{compiled}, nil
}

// OfEvent returns the schema of HR events.
var OfEvent = sync.OnceValue(func() *Schema {
	s, err := Load(Event)
	if err != nil {
		panic(err) // cannot happen: the schema is embedded, and tests compile it
	}
	return s
})

const suffix = ".schema.json"

func newCompiler() (*jsonschema.Compiler, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: dateTime})

	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, f := range entries {
		text, err := files.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", strings.TrimSuffix(f.Name(), suffix), err)
		}
		if err := compiler.AddResource(base+f.Name(), doc); err != nil {
			return nil, err
		}
	}
	return compiler, nil
}

// dateTime accepts exactly the instants that Go reads: RFC 3339 without leap
// seconds.
func dateTime(v any) error {
	if s, ok := v.(string); ok {
		return new(time.Time).UnmarshalText([]byte(s))
	}
	return nil
}

// Validate checks a document that encoding/json has decoded into an any (numbers may be
// json.Number). The error for an invalid document is an InvalidError.
func (s *Schema) Validate(doc any) error {
	err := s.compiled.Validate(doc)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &invalid):
		return err
	}
	found := violations(invalid)
	slices.SortFunc(found, Violation.compare)
	return slices.Compact(found)
}
