package scheme

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Encoding names the way in which a signature's bytes are written.
type Encoding string

// The encodings.
const (
	Hex    Encoding = "hex"
	Base64 Encoding = "base64" // the standard alphabet, padded
)

// The placeholders of HMAC.Signs.
const (
	partBody      = "{body}"
	partTimestamp = "{timestamp}"
	partID        = "{id}"
)

// mostSignatures bounds how many signatures of one request are checked.
const mostSignatures = 8

// ahead bounds how far a sender's clock may be ahead of ours.
const ahead = 5 * time.Minute

// HMAC verifies an HMAC-SHA256 over the body, which the sender puts in a header.
type HMAC struct {
	Header   string   // holds the signature
	Prefix   string   // stands before the signature, such as "sha256="
	Encoding Encoding // of the signature
	Several  bool     // the header may hold several signatures, separated by spaces; those without the prefix are ignored

	Timestamp string // header with the time at which the request was sent; empty if there is none
	ID        string // header with the message's ID; empty if there is none
	// Signs describes the text that is signed, such as "{timestamp}.{body}". {body} stands
	// for the body, {timestamp} and {id} for the values of those headers.
	Signs string
	// Window bounds how long ago a request was sent, if there is a timestamp.
	Window time.Duration

	SecretPrefix string // if a secret begins with it, the rest is the key in base64
	Overloaded   int    // see Throttled
}

// Check returns an error that says what is wrong with the scheme; nil if nothing is.
func (h HMAC) Check() error {
	has := func(part string) bool { return strings.Contains(h.Signs, part) }
	switch {
	case h.Header == "":
		return errors.New("the header of the signature is missing")
	case h.Encoding != Hex && h.Encoding != Base64:
		return fmt.Errorf("there is no encoding %q: must be %s or %s", h.Encoding, Hex, Base64)
	case strings.Count(h.Signs, partBody) != 1:
		return fmt.Errorf("%q must have %s in it, once: what is not signed proves nothing", h.Signs, partBody)
	case has(partTimestamp) && h.Timestamp == "":
		return fmt.Errorf("%q has a timestamp: which header is it in?", h.Signs)
	case !has(partTimestamp) && h.Timestamp != "":
		return fmt.Errorf("the timestamp must be signed too, such as %q: else anybody can change it", partTimestamp+"."+partBody)
	case has(partID) != (h.ID != ""):
		return fmt.Errorf("%q and the header of the ID (%q) do not go together: both or none", h.Signs, h.ID)
	}
	return nil
}

// Verify implements Verifier.
func (h HMAC) Verify(r Request, secrets []string, now time.Time) Refusal {
	header, refusal := only(r.Header, h.Header)
	if refusal != Taken {
		return refusal
	}
	signatures := h.signatures(header)
	if len(signatures) == 0 {
		return Malformed
	}
	var timestamp, id string
	var sent time.Time
	if h.Timestamp != "" {
		if timestamp, refusal = only(r.Header, h.Timestamp); refusal != Taken {
			return refusal
		}
		if sent, refusal = parseTimestamp(timestamp); refusal != Taken {
			return refusal
		}
	}
	if h.ID != "" {
		if id, refusal = only(r.Header, h.ID); refusal != Taken {
			return refusal
		}
	}
	if !h.match(signatures, secrets, timestamp, id, r.Body) {
		return Wrong
	}
	if h.Timestamp != "" && (sent.Before(now.Add(-h.Window)) || sent.After(now.Add(min(ahead, h.Window)))) {
		return Stale
	}
	return Taken
}

// signatures returns the signatures in a header, decoded. It leaves out any that it cannot
// decode.
func (h HMAC) signatures(header string) [][]byte {
	written := []string{header}
	if h.Several {
		written = strings.Fields(header)
	}
	var all [][]byte
	for _, w := range written[:min(len(written), mostSignatures)] {
		text, ok := strings.CutPrefix(w, h.Prefix)
		if !ok {
			continue
		}
		var signature []byte
		var err error
		if h.Encoding == Hex {
			signature, err = hex.DecodeString(text)
		} else {
			signature, err = base64.StdEncoding.Strict().DecodeString(text)
		}
		if err == nil && len(signature) == sha256.Size {
			all = append(all, signature)
		}
	}
	return all
}

// match reports whether one of the signatures was made with one of the secrets.
func (h HMAC) match(signatures [][]byte, secrets []string, timestamp, id string, body []byte) bool {
	found := false
	for _, secret := range secrets {
		key, err := h.key(secret)
		if err != nil {
			continue // CheckSecret has reported it
		}
		want := h.sign(key, timestamp, id, body)
		for _, got := range signatures {
			if hmac.Equal(got, want) {
				found = true
			}
		}
	}
	return found
}

// sign returns the signature of a request.
func (h HMAC) sign(key []byte, timestamp, id string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	for rest := h.Signs; rest != ""; {
		switch {
		case strings.HasPrefix(rest, partBody):
			mac.Write(body)
			rest = rest[len(partBody):]
		case strings.HasPrefix(rest, partTimestamp):
			mac.Write([]byte(timestamp))
			rest = rest[len(partTimestamp):]
		case strings.HasPrefix(rest, partID):
			mac.Write([]byte(id))
			rest = rest[len(partID):]
		default:
			mac.Write([]byte(rest[:1]))
			rest = rest[1:]
		}
	}
	return mac.Sum(nil)
}

// key returns the key that a secret stands for.
func (h HMAC) key(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, h.SecretPrefix)
	if h.SecretPrefix == "" || !ok {
		return []byte(secret), nil
	}
	return base64.StdEncoding.DecodeString(encoded)
}

// Kept implements Verifier.
func (h HMAC) Kept() []string {
	var kept []string
	for _, header := range []string{h.Timestamp, h.ID} {
		if header != "" {
			kept = append(kept, strings.ToLower(header))
		}
	}
	return kept
}

// Throttled implements Verifier.
func (h HMAC) Throttled() int {
	if h.Overloaded == 0 {
		return http.StatusTooManyRequests
	}
	return h.Overloaded
}
