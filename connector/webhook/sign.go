package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// The headers of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp" // Unix, in seconds
	headerSignature = "webhook-signature" // "v1," and the HMAC in base64
)

// signingKey decodes a secret of the form that Standard Webhooks specifies.
func signingKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("must be whsec_ and 24 to 64 bytes in base64: echo whsec_$(openssl rand -base64 32) makes one")
	}
	return key, nil
}

// sign sets the headers of Standard Webhooks on a request.
func sign(request *http.Request, key []byte, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + "."))
	_, _ = mac.Write(body)
	request.Header.Set(headerID, id)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// messageID returns the ID by which a service tells requests apart. A change that is
// repeated because its step is retried keeps its ID: the service may give the same answer
// again. A request that changes nothing, or is part of no step, gets a new ID each time.
func messageID(ctx context.Context, changes bool, body []byte) string {
	step := connector.StepOf(ctx)
	if step == "" || !changes {
		return "msg_" + rand.Text()
	}
	hash := sha256.Sum256([]byte(step + "\x00" + string(body)))
	return "msg_" + hex.EncodeToString(hash[:16])
}
