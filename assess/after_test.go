package assess_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

func TestWhatALinkBecomesAfterAStep(t *testing.T) {
	earlier, doubt := noon.Add(-24*time.Hour), noon.Add(time.Hour)
	want := policy.Account{
		App: "wiki", Attributes: map[string]any{"title": "Clerk"},
		Entitlements: []policy.Entitlement{{Name: "staff"}, {Name: "admins"}},
	}
	names, digest := []string{"admins", "staff"}, policy.Digest(want.Attributes)
	active := ledger.Link{
		PersonID: "1", App: "wiki", AccountID: "7", Username: "ada", State: ledger.LinkActive,
		Entitlements: []string{"staff"}, Attributes: "before", CreatedAt: earlier, ProvenAt: earlier,
	}
	disabled := active
	disabled.State, disabled.DisabledAt, disabled.StrippedAt, disabled.HandedOverAt = ledger.LinkDisabled, earlier, earlier, earlier
	planned := ledger.Link{PersonID: "1", App: "wiki", Username: "ada", State: ledger.LinkPlanned, Creating: ledger.Creation{At: earlier, State: ledger.CreationSent}}
	gone := ledger.Link{PersonID: "1", App: "wiki", Username: "ada", State: ledger.LinkDeleted, DeletedAt: noon, ProvenAt: noon}
	inBin := ledger.Binned{AccountID: "7", At: noon}
	binned := gone
	binned.Binned = inBin
	// with returns a copy of a link that is proven now, changed by change.
	with := func(l ledger.Link, change func(*ledger.Link)) ledger.Link {
		l.ProvenAt = noon
		change(&l)
		return l
	}
	for name, c := range map[string]struct {
		link  ledger.Link
		step  plan.Step
		proof assess.Proof
		want  ledger.Link
	}{
		"an account that was made": {
			planned, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{AccountID: "7", Username: "ada2", New: true},
			with(planned, func(l *ledger.Link) {
				l.AccountID, l.Username, l.State, l.CreatedAt, l.Creating = "7", "ada2", ledger.LinkActive, noon, ledger.Creation{}
				l.Attributes, l.Entitlements = digest, names
			}),
		},
		"an account that was made before the first day": {
			planned, plan.Step{Kind: plan.Provision}, assess.Proof{AccountID: "7", New: true},
			with(planned, func(l *ledger.Link) {
				l.AccountID, l.State, l.CreatedAt, l.DisabledAt, l.Creating = "7", ledger.LinkDisabled, noon, noon, ledger.Creation{}
				l.Attributes, l.Entitlements = digest, names
			}),
		},
		"an account that was adopted, and does not show its attributes": {
			planned, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{AccountID: "7", New: true, Adopted: true, Attributes: ledger.AttributesUnknown},
			with(planned, func(l *ledger.Link) {
				l.AccountID, l.State, l.CreatedAt, l.Adopted, l.Creating = "7", ledger.LinkActive, noon, true, ledger.Creation{}
				l.Attributes, l.Entitlements = ledger.AttributesUnknown, names
			}),
		},
		"an account that appears when the person signs in": {
			planned, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{},
			with(planned, func(l *ledger.Link) {
				l.State, l.Creating, l.Attributes, l.Entitlements = ledger.LinkActive, ledger.Creation{}, digest, names
			}),
		},
		"one that is enabled again": {
			disabled, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{AccountID: "7"},
			with(active, func(l *ledger.Link) { l.Attributes, l.Entitlements = digest, names }),
		},
		"one that was deleted, and comes back": {
			gone, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{AccountID: "8", New: true},
			with(active, func(l *ledger.Link) {
				l.AccountID, l.CreatedAt, l.Attributes, l.Entitlements = "8", noon, digest, names
			}),
		},
		"one that was brought back": {
			binned, plan.Step{Kind: plan.Provision, Enabled: true}, assess.Proof{AccountID: "7", New: true},
			with(active, func(l *ledger.Link) { l.CreatedAt, l.Attributes, l.Entitlements = noon, digest, names }),
		},
		"one that comes back off": {
			binned, plan.Step{Kind: plan.Provision}, assess.Proof{AccountID: "7", New: true},
			with(active, func(l *ledger.Link) {
				l.State, l.CreatedAt, l.DisabledAt, l.Attributes, l.Entitlements = ledger.LinkDisabled, noon, noon, digest, names
			}),
		},
		"a search that finds no account, of somebody whose old one is in the bin": {
			with(planned, func(l *ledger.Link) { l.Binned = inBin }), plan.Step{Kind: plan.Disable}, assess.Proof{Missing: true}, binned,
		},
		"a disable that finds that the account is gone, and may come back": {
			active, plan.Step{Kind: plan.Disable}, assess.Proof{Missing: true, DoubtUntil: doubt},
			with(active, func(l *ledger.Link) {
				l.AccountID, l.State, l.DoubtUntil, l.Binned = "", ledger.LinkPlanned, doubt, inBin
			}),
		},
		"an update": {
			active, plan.Step{Kind: plan.Update, Attributes: true}, assess.Proof{},
			with(active, func(l *ledger.Link) { l.Attributes, l.Entitlements = digest, names }),
		},
		"an update that the app keeps in part": {
			active, plan.Step{Kind: plan.Update, Attributes: true}, assess.Proof{Attributes: "part"},
			with(active, func(l *ledger.Link) { l.Attributes, l.Entitlements = "part", names }),
		},
		"an update of entitlements only": {
			active, plan.Step{Kind: plan.Update}, assess.Proof{},
			with(active, func(l *ledger.Link) { l.Entitlements = names }),
		},
		"an update of an account that is given nothing while it is off": {
			disabled, plan.Step{Kind: plan.Update}, assess.Proof{Lacks: []string{"admins"}},
			with(disabled, func(l *ledger.Link) { l.Entitlements = []string{"staff"} }),
		},
		"an update of an account that is off": {
			disabled, plan.Step{Kind: plan.Update, Attributes: true}, assess.Proof{},
			with(disabled, func(l *ledger.Link) { l.Attributes, l.Entitlements = digest, names }),
		},
		"an update that finds nothing": {active, plan.Step{Kind: plan.Update}, assess.Proof{Missing: true}, with(binned, func(l *ledger.Link) { l.CreatedAt = earlier })},
		"a rename": {
			with(active, func(l *ledger.Link) { l.RenameTo, l.OwnerWas = "lovelace", "2" }), plan.Step{Kind: plan.Relabel}, assess.Proof{Username: "Lovelace"},
			with(active, func(l *ledger.Link) { l.Username = "Lovelace" }),
		},
		"a disable": {
			active, plan.Step{Kind: plan.Disable}, assess.Proof{},
			with(active, func(l *ledger.Link) { l.State, l.DisabledAt = ledger.LinkDisabled, noon }),
		},
		"a disable of one that was off, and may have been turned on since": {
			with(disabled, func(l *ledger.Link) { l.Unsure.State, l.Receiver = true, ledger.Receiver{PersonID: "2"} }),
			plan.Step{Kind: plan.Disable}, assess.Proof{},
			with(disabled, func(l *ledger.Link) { l.DisabledAt, l.StrippedAt, l.HandedOverAt = noon, time.Time{}, time.Time{} }),
		},
		"a disable that has to be proven again": {
			active, plan.Step{Kind: plan.Disable}, assess.Proof{DoubtUntil: doubt},
			with(active, func(l *ledger.Link) { l.State, l.DisabledAt, l.DoubtUntil = ledger.LinkDisabled, noon, doubt }),
		},
		"a second disable": {
			with(disabled, func(l *ledger.Link) { l.DoubtUntil = earlier }), plan.Step{Kind: plan.Disable}, assess.Proof{},
			with(disabled, func(*ledger.Link) {}),
		},
		"a disable by a human, who takes the entitlements too": {
			active, plan.Step{Kind: plan.Disable}, assess.Proof{Stripped: true},
			with(active, func(l *ledger.Link) {
				l.State, l.DisabledAt, l.StrippedAt, l.Entitlements = ledger.LinkDisabled, noon, noon, nil
			}),
		},
		"a disable that finds an account": {
			planned, plan.Step{Kind: plan.Disable}, assess.Proof{AccountID: "7"},
			with(planned, func(l *ledger.Link) {
				l.AccountID, l.State, l.DisabledAt, l.Creating = "7", ledger.LinkDisabled, noon, ledger.Creation{}
			}),
		},
		"a disable that finds nothing yet": {
			planned, plan.Step{Kind: plan.Disable}, assess.Proof{Missing: true, DoubtUntil: doubt},
			with(planned, func(l *ledger.Link) { l.DoubtUntil = doubt }),
		},
		"a disable that finds nothing": {planned, plan.Step{Kind: plan.Disable}, assess.Proof{Missing: true}, gone},
		"a strip of an account that has to be proven again": {
			with(disabled, func(l *ledger.Link) { l.DoubtUntil = doubt }), plan.Step{Kind: plan.Strip}, assess.Proof{},
			with(disabled, func(l *ledger.Link) { l.DoubtUntil, l.StrippedAt, l.Entitlements = doubt, noon, nil }),
		},
		"a handover": {disabled, plan.Step{Kind: plan.HandOver}, assess.Proof{}, with(disabled, func(l *ledger.Link) { l.HandedOverAt = noon })},
		"a deletion": {
			disabled, plan.Step{Kind: plan.Delete}, assess.Proof{},
			with(binned, func(l *ledger.Link) {
				l.CreatedAt, l.DisabledAt, l.StrippedAt, l.HandedOverAt = earlier, earlier, earlier, earlier
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.proof.At = noon
			assert.Equal(t, c.want, assess.After(c.link, c.step, want, c.proof))
		})
	}
}
