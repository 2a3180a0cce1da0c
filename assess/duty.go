package assess

import (
	"cmp"
	"context"
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
	return HeldBy(l.App, true, has)
}

// Linked returns what somebody has by their links: what Tenure gave them.
func Linked(links []ledger.Link) []policy.Held {
	var held []policy.Held
	for _, l := range links {
		held = append(held, HeldBy(l.App, l.State == ledger.LinkActive, l.Entitlements)...)
	}
	return held
}

// Shown returns what somebody really has by their accounts, as scans saw them last. Where no scan
// saw an account, it is as its link says.
func Shown(ctx context.Context, seen interface {
	Seen(ctx context.Context, app, accountID string) (ledger.Observed, bool, error)
}, links []ledger.Link) ([]policy.Held, error) {
	var held []policy.Held
	for _, l := range links {
		id := cmp.Or(l.AccountID, l.Binned.AccountID)
		if id == "" {
			continue
		}
		o, known, err := seen.Seen(ctx, l.App, id)
		if err != nil {
			return nil, err
		}
		if known && o.At.After(l.ProvenAt) {
			held = append(held, HeldBy(l.App, o.Active, o.Entitlements)...)
		} else {
			held = append(held, HeldBy(l.App, l.State == ledger.LinkActive, l.Entitlements)...)
		}
	}
	return held, nil
}

// HeldBy returns what somebody has by an account: nothing, if it is off.
func HeldBy(app string, on bool, entitlements []string) []policy.Held {
	if !on {
		return nil
	}
	held := []policy.Held{{App: app}}
	for _, name := range entitlements {
		held = append(held, policy.Held{App: app, Entitlement: name})
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
