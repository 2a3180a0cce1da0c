package webhook

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tenurehq/tenure/connector"
)

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
