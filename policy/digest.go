package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// digestSize is how many bytes of the hash are kept: enough that two sets of
// attributes of one account never meet by chance.
const digestSize = 16

// Digest is a short name for the content of an account's attributes: the first
// 16 bytes, in hex, of the SHA-256 of their JSON with sorted keys. It stays the
// same across releases, since the ledger keeps it. No attributes at all and an
// empty map are the same.
//
// It panics on values that JSON cannot express; see Account.Attributes for
// those that there are.
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
