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

// Names are the names of all schemes.
func Names() []string { return []string{NameBambooHR, NameBearer, NameHMAC, NameStandard} }

// DefaultWindow is how long ago a request may have been sent: what Standard
// Webhooks asks for.
const DefaultWindow = 5 * time.Minute

// bambooHRWindow is longer than BambooHR goes on trying (5, 10, 20, 40 and 80
// minutes apart): it does not say whether what it sends again has a timestamp of
// its own. A request that is replayed meanwhile is a duplicate, which has no effect.
const bambooHRWindow = 3 * time.Hour

// BambooHR signs body and timestamp, with nothing between them, and does not try
// again what was answered with 4xx.
// https://documentation.bamboohr.com/docs/webhooks (Security, Webhook Retries)
func BambooHR() HMAC {
	return HMAC{
		Header: "X-BambooHR-Signature", Encoding: Hex,
		Timestamp: "X-BambooHR-Timestamp", Signs: partBody + partTimestamp, Window: bambooHRWindow,
		Overloaded: http.StatusServiceUnavailable,
	}
}

// Standard is the scheme of Standard Webhooks (symmetric, v1).
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Standard() HMAC {
	return HMAC{
		Header: "Webhook-Signature", Prefix: "v1,", Encoding: Base64, Several: true,
		Timestamp: "Webhook-Timestamp", ID: "Webhook-Id",
		Signs: partID + "." + partTimestamp + "." + partBody, Window: DefaultWindow,
		SecretPrefix: "whsec_",
	}
}

// Generic is HMAC over the body alone, in hexadecimal: what to begin with for HR
// systems that have no scheme of their own here.
func Generic() HMAC {
	return HMAC{Header: "X-Signature", Encoding: Hex, Signs: partBody, Window: DefaultWindow}
}

// shortestSecret is how many characters a secret must have: half of what a
// SHA-256 HMAC deserves, and more than anybody guesses.
const shortestSecret = 16

// CheckSecret says what is wrong with a secret, without telling it.
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

// Lookup returns the scheme of a name.
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
