package scheme

import (
	"net/http"
	"time"
)

// Request holds the parts of a webhook request that are verified.
type Request struct {
	Header http.Header
	Body   []byte // to the byte as it came
}

// Verifier is how one HR system shows that a request is its own. It is safe for
// concurrent use.
type Verifier interface {
	// Verify returns Taken if the request was made by a holder of one of the secrets,
	// and recently if the scheme knows when; else why not.
	Verify(r Request, secrets []string, now time.Time) Refusal
	// Kept are the headers that decoders may need, in lower case: only ones that
	// the signature covers.
	Kept() []string
	// Throttled is the HTTP status that makes the HR system come again later with a
	// request that is too much at the moment.
	Throttled() int
}

// Refusal is why a request is not taken.
type Refusal string

// Taken is no refusal.
const Taken Refusal = ""

// The refusals, as logs and metrics have them.
const (
	Missing   Refusal = "missing"   // no signature or token, or none of a timestamp where there must be one
	Malformed Refusal = "malformed" // a header that cannot be read, or is there more than once
	Wrong     Refusal = "wrong"     // made with none of the secrets, or for something else
	Stale     Refusal = "stale"     // rightly signed, but too long ago or ahead: a replay, or a clock that is wrong
)

// only is the value of a header that must be there once: a second one could be
// seen by us and not by whoever checked the request before.
func only(h http.Header, name string) (string, Refusal) {
	switch values := h.Values(name); {
	case len(values) == 0 || values[0] == "":
		return "", Missing
	case len(values) > 1:
		return "", Malformed
	default:
		return values[0], Taken
	}
}
