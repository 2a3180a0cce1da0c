package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
)

// publicKey returns the public half of the last part of a signing key: a byte that names the
// algorithm, and the seed.
func publicKey(encoded string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("it is no key as tenure audit key writes it")
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("it is no key as tenure audit key writes it")
	}
	return public, nil
}
