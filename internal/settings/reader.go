// Package settings reads the settings of one app or HR system strictly: whatever
// nobody asked for is an error, as is a missing or ill-typed setting. It imports
// the standard library only.
package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reader reads settings. What was not asked for by the time Err is called is
// unknown. No error holds a setting's value, since any of them may be a secret.
type Reader struct {
	settings map[string]any
	known    []string
	problems []string
}

// Read starts reading s.
func Read(s map[string]any) *Reader { return &Reader{settings: s} }

// Required returns the text of a setting that must be there.
func (r *Reader) Required(name string) string {
	before := len(r.problems)
	text := r.String(name, "")
	if text == "" && len(r.problems) == before {
		r.Reject(name, "is missing")
	}
	return text
}

// String returns the text of a setting, or fallback if it is absent.
func (r *Reader) String(name, fallback string) string {
	return read(r, name, fallback, `must be text (put it in quotes)`)
}

// Bool returns a setting that is true or false, or fallback if it is absent.
func (r *Reader) Bool(name string, fallback bool) bool {
	return read(r, name, fallback, "must be true or false")
}

// Duration returns a setting such as "15s", or fallback if it is absent. It is
// always above zero.
func (r *Reader) Duration(name string, fallback time.Duration) time.Duration {
	const want = `must be a duration above zero, such as "15s" or "2m"`
	text := read(r, name, "", want)
	if text == "" {
		return fallback
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		r.Reject(name, want)
		return fallback
	}
	return d
}

// Reject records that a setting's value will not do. why completes the sentence
// that the setting's name begins.
func (r *Reader) Reject(name, why string) {
	r.problems = append(r.problems, fmt.Sprintf("setting %q %s", name, why))
}

// Err returns all that is wrong with the settings as one error, or nil.
func (r *Reader) Err() error {
	var unknown []string
	for name := range r.settings {
		if !slices.Contains(r.known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	slices.Sort(r.known)
	for _, name := range unknown {
		r.Reject(name, "is not known (known are "+strings.Join(r.known, ", ")+")")
	}
	if len(r.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.problems, "; "))
}

func read[T any](r *Reader, name string, fallback T, want string) T {
	r.known = append(r.known, name)
	value, set := r.settings[name]
	if !set || value == nil {
		return fallback
	}
	typed, ok := value.(T)
	if !ok {
		r.Reject(name, want)
		return fallback
	}
	return typed
}
