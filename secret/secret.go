// Package secret holds secrets that may change while the process runs: after a token is
// rotated in its file, the next use gets the new one. The package never prints a secret. It
// imports the standard library only.
package secret

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Secret returns a text that must not be printed. The zero Secret is empty.
type Secret struct {
	read func() (string, error)
}

// New returns a secret that calls read each time it is used. The error of read must not
// hold the secret.
func New(read func() (string, error)) Secret { return Secret{read: read} }

// Of returns a secret that never changes.
func Of(text string) Secret { return New(func() (string, error) { return text, nil }) }

// ErrWithheld is the error of a secret that a process is not given: see Withheld.
var ErrWithheld = errors.New("the secret is not looked at here")

// Withheld returns a secret that is set and that Reveal does not return. It takes the
// place of another one in a process that checks settings and needs none of their secrets.
func Withheld() Secret { return New(func() (string, error) { return "", ErrWithheld }) }

// Reveal returns the current value of the secret. The error names the reference that cannot be
// resolved, and the reason.
func (s Secret) Reveal() (string, error) {
	if s.read == nil {
		return "", nil
	}
	return s.read()
}

// IsZero reports whether no secret is set.
func (s Secret) IsZero() bool { return s.read == nil }

const hidden = "[secret]"

// String hides the secret.
func (s Secret) String() string { return hidden }

// Format hides the secret from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalJSON hides the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
