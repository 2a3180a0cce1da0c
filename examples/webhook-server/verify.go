package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is how old a request may be, and how far in the future: clocks differ.
const window = 5 * time.Minute

// verifier checks that requests come from Tenure.
type verifier struct{ keys [][]byte }

func newVerifier(secrets ...string) (*verifier, error) {
	v := &verifier{}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		encoded, ok := strings.CutPrefix(secret, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, errors.New("TENURE_SECRET is not whsec_ and base64")
		}
		v.keys = append(v.keys, key)
	}
	if len(v.keys) == 0 {
		return nil, errors.New("TENURE_SECRET is not set: it is the setting \"secret\" of the app in Tenure")
	}
	return v, nil
}

// verify reports whether a request comes from Tenure and is recent. The signature covers its
// ID, its time and its body.
func (v *verifier) verify(header http.Header, body []byte, now time.Time) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > window {
		return false
	}
	for _, key := range v.keys {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + timestamp + "."))
		_, _ = mac.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, signature := range strings.Fields(header.Get("webhook-signature")) {
			if hmac.Equal([]byte(signature), []byte(want)) { // in constant time
				return true
			}
		}
	}
	return false
}
