package scheme

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The names of schemes, as the configuration spells them.
const (
	NameBambooHR = "bamboohr"
	NameStandard = "standard"
	NameHMAC     = "hmac"
	NameBearer   = "bearer"
)

// Names returns the names of all schemes.
func Names() []string { return []string{NameBambooHR, NameBearer, NameHMAC, NameStandard} }

// DefaultWindow is the Window that Standard Webhooks asks for.
const DefaultWindow = 5 * time.Minute

// bambooHRWindow is longer than BambooHR keeps trying (5, 10, 20, 40 and 80 minutes apart),
// because BambooHR does not document whether a repeated request has a new timestamp. A
// request that an attacker replays in this time is a duplicate, which has no effect.
const bambooHRWindow = 3 * time.Hour

// BambooHR returns the scheme of BambooHR. It signs body and timestamp with nothing between
// them. BambooHR does not repeat a request that was answered with 4xx.
// https://documentation.bamboohr.com/docs/webhooks (Security, Webhook Retries)
func BambooHR() HMAC {
	return HMAC{
		Header: "X-BambooHR-Signature", Encoding: Hex,
		Timestamp: "X-BambooHR-Timestamp", Signs: partBody + partTimestamp, Window: bambooHRWindow,
		Overloaded: http.StatusServiceUnavailable,
	}
}

// Standard returns the scheme of Standard Webhooks (symmetric, v1).
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Standard() HMAC {
	return HMAC{
		Header: "Webhook-Signature", Prefix: "v1,", Encoding: Base64, Several: true,
		Timestamp: "Webhook-Timestamp", ID: "Webhook-Id",
		Signs: partID + "." + partTimestamp + "." + partBody, Window: DefaultWindow,
		SecretPrefix: "whsec_",
	}
}

// Generic returns HMAC over the body alone, in hexadecimal. It is the starting point for an
// HR system that has no scheme of its own here.
func Generic() HMAC {
	return HMAC{Header: "X-Signature", Encoding: Hex, Signs: partBody, Window: DefaultWindow}
}

// shortestSecret is the least number of bytes of a secret. It is half of what is best for
// HMAC-SHA-256, and too many to guess.
const shortestSecret = 16

// CheckSecret returns an error that says what is wrong with a secret; nil if nothing is.
// The error does not contain the secret.
func CheckSecret(v Verifier, secret string) error {
	switch {
	case len(secret) < shortestSecret:
		return fmt.Errorf("is too short to be a secret: must have %d characters at least", shortestSecret)
	case strings.TrimSpace(secret) != secret:
		return errors.New("begins or ends with a space")
	}
	if h, ok := v.(HMAC); ok {
		var notBase64 base64.CorruptInputError
		if _, err := h.key(secret); errors.As(err, &notBase64) {
			return fmt.Errorf("begins with %s and is not base64 after that", h.SecretPrefix)
		}
	}
	return nil
}

// Lookup returns the scheme with a name, and reports whether there is one.
func Lookup(name string) (Verifier, bool) {
	switch name {
	case NameBambooHR:
		return BambooHR(), true
	case NameStandard:
		return Standard(), true
	case NameHMAC:
		return Generic(), true
	case NameBearer:
		return Bearer{}, true
	}
	return nil, false
}
