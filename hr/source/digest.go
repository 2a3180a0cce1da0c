package source

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest returns an ID for an event that has none in its HR system. The same parts give the
// same ID, and other parts another one. The parts identify what happened, so that an event
// that is delivered again has the same ID.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = h.Write(length[:]) // never fails
		_, _ = h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
