package source

import (
	"context"
	"fmt"
)

// ThinError is the error of a decoder whose record says of whom it speaks, but not
// what: that has to be fetched from the HR system. Decoding the record again, with
// the answers in Record.Fetched, gives events, or an *Error.
type ThinError struct {
	References []string // what to fetch, each once; never personal data
}

func (t *ThinError) Error() string {
	return fmt.Sprintf("%s: the record only refers to %d person(s) in the HR system: what is known of them has to be fetched",
		ReasonThin, len(t.References))
}

// Fetch gets what a thin record refers to, as the HR system's API answers. It is
// tried again by its caller, never by itself. Errors are *remote.Error.
type Fetch func(ctx context.Context, reference string) ([]byte, error)
