// Package sourcetest tests decoders of HR systems' records: by examples with their expected
// results, and by rules that hold for every record.
//
// An example is a folder of testdata/golden:
//
//	record.json, .xml or .form  the body; the extension gives the content type
//	fetched/REFERENCE           the HR system's answer; empty if it does not know the reference
//	settings.json               settings, added to the test's; optional
//	want.json                   the expected result (go test -update writes it)
package sourcetest

import (
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

var update = flag.Bool("update", false, "write what comes of the examples to their want.json")

// Time is the time at which the examples were put on their topic.
var Time = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

var contentTypes = map[string]string{
	".json": "application/json",
	".xml":  "text/xml; charset=utf-8",
	".form": "application/x-www-form-urlencoded",
}

// Example is one example.
type Example struct {
	Name     string
	Record   source.Record // without Fetched
	Fetched  map[string][]byte
	Settings source.Settings // nil if it has none
}

// Examples reads the examples of the package under test.
func Examples(t testing.TB) []Example {
	t.Helper()
	folders, err := filepath.Glob("testdata/golden/*")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	list := make([]Example, 0, len(folders))
	for _, folder := range folders {
		list = append(list, read(t, folder))
	}
	return list
}

// Named reads one example.
func Named(t testing.TB, name string) Example {
	t.Helper()
	return read(t, filepath.Join("testdata/golden", name))
}

func read(t testing.TB, folder string) Example {
	t.Helper()
	e := Example{Name: filepath.Base(folder)}
	bodies, err := filepath.Glob(filepath.Join(folder, "record.*"))
	require.NoError(t, err)
	require.Len(t, bodies, 1, folder)
	e.Record = source.Record{
		Headers: map[string]string{"content-type": contentTypes[filepath.Ext(bodies[0])]},
		Value:   file(t, bodies[0]), Time: Time,
	}
	answers, err := filepath.Glob(filepath.Join(folder, "fetched/*"))
	require.NoError(t, err)
	for _, answer := range answers {
		if e.Fetched == nil {
			e.Fetched = make(map[string][]byte)
		}
		if content := file(t, answer); len(content) > 0 {
			e.Fetched[filepath.Base(answer)] = content
		} else {
			e.Fetched[filepath.Base(answer)] = nil
		}
	}
	if text, err := os.ReadFile(filepath.Join(folder, "settings.json")); err == nil {
		require.NoError(t, json.Unmarshal(text, &e.Settings), folder)
	}
	return e
}

func file(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

// outcome is the content of a want.json.
type outcome struct {
	Fetches  []string         `json:"fetches,omitempty"`
	Key      string           `json:"key,omitempty"`
	Events   []hr.Event       `json:"events,omitempty"`
	Warnings []source.Warning `json:"warnings,omitempty"`
	Error    string           `json:"error,omitempty"`
	Person   string           `json:"person,omitempty"` // the person whom the error names
	Urgent   bool             `json:"urgent,omitempty"` // the error's
}

// Golden decodes every example and compares the result with its want.json.
func Golden(t *testing.T, kind source.Kind, settings source.Settings) {
	for _, e := range Examples(t) {
		t.Run(e.Name, func(t *testing.T) {
			got := e.outcome(t, kind, settings)
			path := filepath.Join("testdata/golden", e.Name, "want.json")
			text, err := json.MarshalIndent(got, "", "  ")
			require.NoError(t, err)
			if *update {
				require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "go test -update writes it")
			assert.JSONEq(t, string(want), string(text), "if that is right: go test -update")
		})
	}
}

func (e Example) outcome(t *testing.T, kind source.Kind, settings source.Settings) outcome {
	decode := Open(t, kind, settings, e.Settings).Decode
	got := outcome{Key: kind.KeyOf(e.Record)}
	r := e.Record
	events, warnings, err := Decode(t, decode, r)
	var thin *source.ThinError
	if errors.As(err, &thin) {
		got.Fetches = thin.References
		assert.Equal(t, slices.Sorted(maps.Keys(e.Fetched)), thin.References, "the example's answers are not those it needs")
		r.Fetched = e.Fetched
		events, warnings, err = Decode(t, decode, r)
	}
	got.Events, got.Warnings = events, warnings
	if err != nil {
		got.Error = err.Error()
	}
	var refusal *source.Error
	if errors.As(err, &refusal) {
		got.Person, got.Urgent = refusal.Person, refusal.Urgent
	}
	return got
}

// Open opens a source with settings, the later ones added to the first.
func Open(t testing.TB, kind source.Kind, settings ...source.Settings) source.Source {
	t.Helper()
	all := source.Settings{}
	for _, s := range settings {
		for name, value := range s {
			if value == nil {
				delete(all, name)
				continue
			}
			all[name] = value
		}
	}
	opened, err := kind.Open(all)
	require.NoError(t, err)
	return opened
}

// Events decodes an example, with the fetched answers, and returns its events. It fails the
// test if there is an error.
func (e Example) Events(t testing.TB, decode source.Decoder) []hr.Event {
	t.Helper()
	r := e.Record
	r.Fetched = e.Fetched
	events, _, err := Decode(t, decode, r)
	require.NoError(t, err, e.Name)
	return events
}

// Decode decodes a record twice, and checks the rules of decoders.
func Decode(t testing.TB, decode source.Decoder, r source.Record) ([]hr.Event, []source.Warning, error) {
	t.Helper()
	events, warnings, err := decode(r)
	again, warningsAgain, errAgain := decode(r)
	require.Equal(t, events, again, "the same record gave other events")
	require.Equal(t, warnings, warningsAgain, "the same record gave other warnings")
	require.Equal(t, err, errAgain, "the same record gave another error")
	if err != nil {
		require.Empty(t, events)
		var refusal *source.Error
		var thin *source.ThinError
		require.True(t, errors.As(err, &refusal) || errors.As(err, &thin), "a %T", err)
		require.False(t, thin != nil && r.Fetched != nil && !lacks(thin, r), "what was fetched is asked for again")
		require.False(t, refusal != nil && refusal.Reason == "")
		return nil, warnings, err
	}
	keys := make(map[hr.EventKey]bool)
	for _, e := range events {
		require.False(t, keys[e.EventKey], "two events of one record share an ID")
		keys[e.EventKey] = true
		_, err := cloudevents.Encode(e)
		require.NoError(t, err, "decoded, but not valid")
	}
	return events, warnings, nil
}

// lacks reports whether a reference of the error has not been fetched yet.
func lacks(thin *source.ThinError, r source.Record) bool {
	return slices.ContainsFunc(thin.References, func(ref string) bool {
		_, ok := r.Fetched[ref]
		return !ok
	})
}
