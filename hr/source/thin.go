package source

import (
	"context"
	"fmt"
)

// ThinError is returned for a record that names people and lacks their data, which have to
// be fetched from the HR system. Decoding the record again, with the answers in
// Record.Fetched, gives events or an *Error.
type ThinError struct {
	References []string // references to fetch, each once; never personal data
}

func (t *ThinError) Error() string {
	return fmt.Sprintf("%s: the record only refers to %d person(s) in the HR system: what is known of them has to be fetched",
		ReasonThin, len(t.References))
}

// Fetch returns the answer of the HR system's API for a reference of a thin record. It does
// not try again; its caller does. Errors are *remote.Error.
type Fetch func(ctx context.Context, reference string) ([]byte, error)
