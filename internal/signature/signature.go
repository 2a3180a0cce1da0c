// Package signature signs HTTP requests as Standard Webhooks specify
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
package signature

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

const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp" // Unix, in seconds
	headerSignature = "webhook-signature" // "v1," and the HMAC in base64
)

// Key decodes a secret of the form that Standard Webhooks specifies.
func Key(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("must be whsec_ and 24 to 64 bytes in base64: echo whsec_$(openssl rand -base64 32) makes one")
	}
	return key, nil
}

// Sign sets the headers of Standard Webhooks on a request.
func Sign(request *http.Request, key []byte, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + "."))
	_, _ = mac.Write(body)
	request.Header.Set(headerID, id)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
