package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// conflicts returns where the person has something of both sides of a rule of separation of
// duties, once what is planned is done: what policy wants them to have, and what their accounts
// show beyond it and nothing takes.
func (r Rules) conflicts(d Decision, exceptions []policy.Exception) []policy.Conflict {
	if !r.Policy.KeepsApart() {
		return nil
	}
	held := d.Desired.Holds()
	for _, l := range d.Person.Links {
		if l.State == ledger.LinkActive {
			held = append(held, kept(l, d.Plan.Steps)...)
		}
	}
	return r.Policy.Conflicts(held, d.Now, exceptions...)
}

// kept returns what a person has by an account that is on, and that none of the steps takes.
func kept(l ledger.Link, steps []plan.Step) []policy.Held {
	has := l.Entitlements
	for _, s := range steps {
		switch {
		case s.App != l.App:
		case s.Kind == plan.Update:
			has = set.Minus(has, s.Revoke)
		default:
			return nil // it is given what policy wants, or is taken
		}
	}
	held := []policy.Held{{App: l.App}}
	for _, name := range has {
		held = append(held, policy.Held{App: l.App, Entitlement: name})
	}
	return held
}

// DutyPrefix begins the keys of questions about separation of duties. No app has a colon in its
// name.
const DutyPrefix = "duty:"

// RefusedKey returns the key of the question what is to become of a grant that is not given.
func RefusedKey(r policy.Refusal) string { return DutyPrefix + r.Duty + ":" + r.Exception }

// ConflictKey returns the key of the question what is to become of a conflict. It is another one
// as soon as the person has something else of either side.
func ConflictKey(c policy.Conflict) string {
	digest := sha256.New()
	for _, side := range [][]policy.Held{c.One, c.Other} {
		for _, h := range side {
			_, _ = io.WriteString(digest, h.String()+"\n")
		}
		_, _ = io.WriteString(digest, "\n")
	}
	return DutyPrefix + c.Duty + ":" + hex.EncodeToString(digest.Sum(nil)[:4])
}
