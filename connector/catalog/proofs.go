package catalog

import (
	_ "embed"
	"encoding/json"

	"github.com/tenurehq/tenure/connector"
)

// registered holds what the tests registered when `make test-real` ran, and nothing else: it
// is written by the section "proofs" of scripts/test-real.
//
//go:embed proofs.json
var registered []byte

type registeredProof struct {
	Kind string `json:"kind"`
	connector.Proof
}

// proofs returns the registered proofs.
func proofs() []registeredProof {
	var list []registeredProof
	if err := json.Unmarshal(registered, &list); err != nil {
		panic(err) // the file is part of the program
	}
	return list
}
