package connector

import (
	"fmt"
	"slices"
)

// Proof says on what the suite of connectors (package connectortest) was run, and with which
// operations. The tests register it when they pass: see connector/catalog.
type Proof struct {
	Level ProofLevel `json:"level"`
	On    string     `json:"on"`             // "SCIMMY 1.3.5"; of a contract, the document
	Part  string     `json:"part,omitempty"` // which part of the kind: "profile github-emu"; empty if all of it
	// Exchanges is how many answers of the vendor's were replayed.
	Exchanges int `json:"exchanges,omitempty"`
	// Smoke is set if some operations were tried there, and not the suite. It lifts no
	// operation's level.
	Smoke bool `json:"smoke,omitempty"`
	// Deviations are, of a smoke test, the ways in which the server falls short of the vendor's.
	Deviations []string `json:"deviations,omitempty"`
	// Attested is set if somebody reported it of a tenant of theirs (docs/proving-a-tenant.md),
	// so that `make test-real` cannot repeat it.
	Attested bool     `json:"attested,omitempty"`
	Ops      []string `json:"ops"` // the operations that succeeded there, sorted
}

// ProofLevel says how much a proof is worth.
type ProofLevel string

// The levels of proof. The first that an operation has counts.
const (
	// ServerNotOurs: somebody else wrote the server that answered.
	ServerNotOurs ProofLevel = "server not ours"
	// Replayed: answers that were recorded from the vendor's own service.
	Replayed ProofLevel = "replayed"
	// HeldToContract: a stand-in of ours answered, and what was sent and answered was held to
	// the contract that the vendor publishes. That proves shapes, and not behaviour.
	HeldToContract ProofLevel = "held to the vendor's contract"
	// StandInOnly: a stand-in of ours answered, so that the connector agrees with us.
	StandInOnly ProofLevel = "stand-in only"
)

// Levels returns all levels, the best first.
func Levels() []ProofLevel { return slices.Clone(levels) }

// Means says what a level means for somebody who is about to use the kind.
func (l ProofLevel) Means() string { return means[l] }

var means = map[ProofLevel]string{
	ServerNotOurs:  "the tests ran against a real server that others wrote, so it works with that server in that version",
	Replayed:       "the tests gave the connector answers that the vendor's own service once sent, and it understood them; whether the service takes our requests, they do not show",
	HeldToContract: "the tests ran against a stand-in of ours, and each request and answer was compared with the description that the vendor publishes: the form is right, and the service may still behave differently",
	StandInOnly:    "the tests ran against a stand-in of ours only: where we misunderstood the app, your own test is the first to show it",
}

var levels = []ProofLevel{ServerNotOurs, Replayed, HeldToContract, StandInOnly}

// SmokeTestOnly ends the text of a proof that some operations were tried, and not the suite.
const SmokeTestOnly = "(smoke test only)"

// String returns the proof as people read it.
func (p Proof) String() string {
	text := fmt.Sprintf("%s: %s", p.Level, p.On)
	if p.Exchanges > 0 {
		text += fmt.Sprintf(", %d exchanges", p.Exchanges)
	}
	if p.Part != "" {
		text += fmt.Sprintf(" (%s)", p.Part)
	}
	if p.Attested {
		text += " (reported, not repeated)"
	}
	if p.Smoke {
		text += " " + SmokeTestOnly
	}
	return text
}

// Level returns the level of proof that an operation has, smoke tests aside.
func (k Kind) Level(op string) ProofLevel {
	for _, level := range levels {
		if slices.ContainsFunc(k.Proofs, func(p Proof) bool { return p.Level == level && !p.Smoke && slices.Contains(p.Ops, op) }) {
			return level
		}
	}
	return StandInOnly
}

// ProvenOn returns the proofs as people read them, the best level first and smoke tests last.
func (k Kind) ProvenOn() []string {
	var list []string
	for _, level := range levels {
		for _, p := range k.Proofs {
			if p.Level == level && !p.Smoke {
				list = append(list, p.String())
			}
		}
	}
	if list == nil {
		list = []string{string(StandInOnly)}
	}
	for _, p := range k.Proofs {
		if p.Smoke {
			list = append(list, p.String())
		}
	}
	return list
}
