package assess

import (
	"cmp"
	"time"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Proof holds what is known of an account once a step has been applied to it: what the app
// showed, what a human reported, or, in a rehearsal, what is expected.
type Proof struct {
	At        time.Time
	AccountID string // empty: as the link has it
	Username  string // empty: as the link has it
	New       bool   // the account was not linked before, and has been seen
	Adopted   bool   // the account was there before Tenure
	// Attributes is the digest of the attributes that the account has; empty: those that
	// policy wants.
	Attributes string
	// Lacks lists entitlements that policy gives and the account does not have: the app has
	// refused them, or gives nothing to an account that is off (plan.App.Frozen). Those are left
	// to another step.
	Lacks []string
	// Kept lists what a Strip has left the account: see plan.Step.Keep.
	Kept []string
	// Stripped means that a Disable has taken the entitlements too.
	Stripped bool
	// Missing means that the account is not there.
	Missing bool
	// DoubtUntil is the end of the time in which an account that a Disable has turned
	// off, or not found, may yet be enabled or appear; zero: it cannot.
	DoubtUntil time.Time
}

// After returns what the link becomes once a step is done. want is the account that policy
// wants in the app; the zero account if it wants none.
//
// Every outcome of a step comes from here: of steps that the engine applies, of steps that
// humans do, and of steps that are only rehearsed.
func After(link ledger.Link, step plan.Step, want policy.Account, proof Proof) ledger.Link {
	link.ProvenAt = proof.At
	link.AccountID, link.Username = cmp.Or(proof.AccountID, link.AccountID), cmp.Or(proof.Username, link.Username)
	switch {
	case proof.Missing && !proof.DoubtUntil.IsZero():
		link = binned(link, proof.At)
		link.State, link.AccountID, link.DoubtUntil = ledger.LinkPlanned, "", proof.DoubtUntil
		return link
	case proof.Missing:
		return deleted(link, proof.At)
	}
	switch step.Kind {
	case plan.Provision:
		link = on(link, proof)
		if !step.Enabled {
			link.State, link.DisabledAt = ledger.LinkDisabled, proof.At
		}
		link.Attributes, link.Entitlements = cmp.Or(proof.Attributes, policy.Digest(want.Attributes)), set.Minus(want.EntitlementNames(), proof.Lacks)
	case plan.Update:
		if step.Only {
			link.Entitlements = set.Minus(link.Entitlements, step.Revoke)
			link.Unsure.Entitlements = set.Minus(link.Unsure.Entitlements, step.Revoke)
			break
		}
		if step.Attributes {
			link.Attributes = cmp.Or(proof.Attributes, policy.Digest(want.Attributes))
		}
		link.Entitlements = set.Minus(want.EntitlementNames(), proof.Lacks)
		link.Unsure.Entitlements = nil
	case plan.Relabel:
		link.RenameTo, link.OwnerWas = "", ""
	case plan.Disable:
		link = off(link, proof)
	case plan.Strip:
		link.Entitlements, link.StrippedAt = proof.Kept, proof.At
		link.Unsure.Entitlements = nil
	case plan.HandOver:
		link.HandedOverAt = proof.At
	case plan.Delete:
		link = deleted(link, proof.At)
	}
	return link
}

// on returns the link of an account that is there and enabled: nothing of an earlier
// ending is left.
func on(link ledger.Link, proof Proof) ledger.Link {
	if proof.New {
		link.CreatedAt = proof.At
	}
	link.Adopted = link.Adopted || proof.Adopted
	link.State = ledger.LinkActive
	link.DisabledAt, link.StrippedAt, link.HandedOverAt, link.DeletedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	link.Receiver = ledger.Receiver{}
	link.DoubtUntil, link.Creating, link.Binned = time.Time{}, ledger.Creation{}, ledger.Binned{}
	link.Unsure = ledger.Unsure{}
	return link
}

// off returns the link of an account that is there and disabled. An account that was
// disabled before keeps the time of its first proof, from which its retention counts.
func off(link ledger.Link, proof Proof) ledger.Link {
	if link.State != ledger.LinkDisabled || link.Unsure.State { // it was on, or may have been
		link.DisabledAt, link.StrippedAt, link.HandedOverAt = proof.At, time.Time{}, time.Time{}
		link.Receiver = ledger.Receiver{}
	}
	if link.Unsure.State {
		link.StrippedAt = time.Time{} // what was to turn it on may have given it something
	}
	link.Unsure.State = false
	link.State, link.DoubtUntil, link.Creating, link.Binned = ledger.LinkDisabled, proof.DoubtUntil, ledger.Creation{}, ledger.Binned{}
	if proof.Stripped {
		link.Entitlements, link.StrippedAt = nil, proof.At
		link.Unsure.Entitlements = nil
	}
	return link
}

// deleted returns the link of an account that is gone.
func deleted(link ledger.Link, at time.Time) ledger.Link {
	link = binned(link, at)
	link.State, link.DeletedAt = ledger.LinkDeleted, at
	link.AccountID, link.Attributes, link.Entitlements = "", "", nil
	link.DoubtUntil, link.Creating = time.Time{}, ledger.Creation{}
	link.Unsure = ledger.Unsure{}
	return link
}

// binned returns the link with its account remembered as one that may be in the app's recycle
// bin.
func binned(link ledger.Link, at time.Time) ledger.Link {
	if link.State.HasAccount() || link.AccountID != "" { // a rehearsal knows no ID
		link.Binned = ledger.Binned{AccountID: link.AccountID, At: at}
	}
	return link
}
