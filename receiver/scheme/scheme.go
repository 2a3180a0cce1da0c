package scheme

import (
	"net/http"
	"time"
)

// Request holds the parts of a webhook request that are verified.
type Request struct {
	Header http.Header
	Body   []byte // byte for byte as it came
}

// Verifier verifies that a request comes from one HR system. It is safe for concurrent use.
type Verifier interface {
	// Verify returns Taken if a holder of one of the secrets made the request. If the
	// scheme has a timestamp, the request must be recent too. Otherwise Verify returns the
	// reason for the refusal.
	Verify(r Request, secrets []string, now time.Time) Refusal
	// Kept returns the headers that decoders may need, in lower case. The signature covers
	// all of them.
	Kept() []string
	// Throttled returns the HTTP status for a request above the rate. It makes the HR system
	// send the request again later.
	Throttled() int
}

// Refusal is the reason why a request is not taken.
type Refusal string

// Taken means that the request is not refused.
const Taken Refusal = ""

// The refusals, as logs and metrics have them.
const (
	Missing   Refusal = "missing"   // no signature or token, or no timestamp or ID where the scheme needs one
	Malformed Refusal = "malformed" // a header cannot be read, or is there more than once
	Wrong     Refusal = "wrong"     // made with none of the secrets, or for another request
	Stale     Refusal = "stale"     // signed correctly, but too far in the past or future: a replay, or a wrong clock
)

// only returns the value of a header that must be there exactly once. If there were two, a
// proxy in front could check one of them while Tenure uses the other.
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
