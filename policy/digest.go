package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// digestSize is the number of bytes of the hash that are kept. They are enough that two sets
// of attributes of one account never have the same digest by chance.
const digestSize = 16

// Digest returns a digest of an account's attributes: the first 16 bytes, in hex, of the
// SHA-256 of their JSON with sorted keys. It must not change between releases, because
// the ledger keeps it. Nil and an empty map have the same digest.
//
// It panics on values that JSON cannot express; Account.Attributes lists the types that
// there are.
func Digest(attributes map[string]any) string {
	if attributes == nil {
		attributes = map[string]any{}
	}
	canonical, err := json.Marshal(attributes)
	if err != nil {
		panic(fmt.Sprintf("policy: digest of attributes: %v", err))
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:digestSize])
}
