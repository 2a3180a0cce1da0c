package request

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// digestSize is the number of bytes of the hash that are kept.
const digestSize = 6

// Digest returns a digest of what would be done, whatever the order in which it is listed. It is
// kept with each vote, so that it can be told whether two people were shown the same.
func Digest(steps []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(steps)), "\n")))
	return hex.EncodeToString(sum[:digestSize])
}
