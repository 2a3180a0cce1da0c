// Package secret holds secrets that may change while the process runs: a token
// that is rotated in its file is the new one the next time it is used. Nothing
// here prints a secret. The package imports the standard library only.
package secret

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Secret is a text that nobody may see, and how to get it. The zero Secret is
// empty.
type Secret struct {
	read func() (string, error)
}

// New returns a secret that read gets each time it is used. What read returns as
// an error must not hold the secret.
func New(read func() (string, error)) Secret { return Secret{read: read} }

// Of returns a secret that never changes.
func Of(text string) Secret { return New(func() (string, error) { return text, nil }) }

// ErrWithheld is why a secret is not revealed that whoever asks has not to see: see
// Withheld.
var ErrWithheld = errors.New("the secret is not looked at here")

// Withheld returns a secret that is there and that Reveal does not get. It stands for
// another where settings are checked by a process that does without their secrets.
func Withheld() Secret { return New(func() (string, error) { return "", ErrWithheld }) }

// Reveal gets the secret as it is now. An error says which reference cannot be
// resolved, and why.
func (s Secret) Reveal() (string, error) {
	if s.read == nil {
		return "", nil
	}
	return s.read()
}

// IsZero reports whether no secret was given at all.
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
