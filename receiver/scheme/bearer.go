package scheme

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// Bearer verifies a token in the Authorization header (RFC 6750). The token shows who sends
// a request. It proves neither what was sent nor when.
type Bearer struct{}

// Verify implements Verifier.
func (Bearer) Verify(r Request, secrets []string, _ time.Time) Refusal {
	header, refusal := only(r.Header, "Authorization")
	if refusal != Taken {
		return refusal
	}
	kind, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(kind, "Bearer") || token == "" {
		return Malformed
	}
	got := sha256.Sum256([]byte(token)) // hashes have one length, so that the comparison does not reveal the secret's
	found := 0
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret))
		found |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	if found == 0 {
		return Wrong
	}
	return Taken
}

// Kept implements Verifier: nothing is signed.
func (Bearer) Kept() []string { return nil }

// Throttled implements Verifier. Rippling, whose scheme this is, does not document what it
// does after 429. Every sender that tries again at all does so after a server's error.
func (Bearer) Throttled() int { return http.StatusServiceUnavailable }
