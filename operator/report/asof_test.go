package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
)

func TestAccessAtAnInstantComesFromTheRecord(t *testing.T) {
	at := func(hours int) time.Time { return time.Date(2027, 3, 1, hours, 0, 0, 0, time.UTC) }
	row := func(hours int, action, cause string, state ledger.LinkState, has ...any) ledger.AuditRow {
		return ledger.AuditRow{
			At: at(hours), App: "wiki", Action: action, Actor: "tenure", Cause: cause,
			Detail: map[string]any{ledger.DetailState: string(state), ledger.DetailHas: has},
		}
	}
	rows := []ledger.AuditRow{
		row(1, "created", "staff", ledger.LinkDisabled, "readers"), // before the first day
		row(2, "enabled", "staff", ledger.LinkActive, "readers"),
		{At: at(2), Action: "hold_placed", Actor: "ada"},
		row(3, "updated", "staff, admin (x-1)", ledger.LinkActive, "admins", "readers"),
		row(5, "updated", "staff", ledger.LinkActive, "readers"),
		row(6, "disabled", "access ended", ledger.LinkDisabled, "readers"),
		row(7, "stripped", "access ended", ledger.LinkDisabled),
		row(8, "deleted", "retention", ledger.LinkDeleted),
	}
	show := func(hours int) string {
		access := AccessAt(rows, at(hours))
		if len(access) == 0 {
			return "none"
		}
		a := access[0]
		text := string(a.State) + " since " + a.Since.Format("15h") + " because " + a.Why()
		for _, e := range a.Entitlements {
			text += "; " + e.Name + " since " + e.Since.Format("15h") + " because " + e.Why()
		}
		return text + "; proven " + a.ProvenAt.Format("15h")
	}
	for hours, want := range map[int]string{
		0: "none",
		1: "disabled since 01h because staff; readers since 01h because staff; proven 01h",
		2: "active since 02h because staff; readers since 01h because staff; proven 02h",
		4: "active since 02h because staff; admins since 03h because staff, admin (x-1); readers since 01h because staff; proven 03h",
		5: "active since 02h because staff; readers since 01h because staff; proven 05h",
		6: "disabled since 06h because access ended; readers since 01h because staff; proven 06h",
		7: "disabled since 06h because access ended; proven 07h",
		8: "none",
	} {
		assert.Equal(t, want, show(hours), "at %d h", hours)
	}
	assert.Equal(t, []AccessChange{
		{App: "wiki", What: "account", Was: "active", Is: "disabled"},
		{App: "wiki", What: "admins", Was: "yes", Is: "no"}, {App: "wiki", What: "readers", Was: "yes", Is: "no"},
	}, CompareAccess(AccessAt(rows, at(4)), AccessAt(rows, at(7))))
	assert.Equal(t, []AccessChange{
		{App: "wiki", What: "account", Was: "none", Is: "disabled"}, {App: "wiki", What: "readers", Was: "no", Is: "yes"},
	}, CompareAccess(AccessAt(rows, at(0)), AccessAt(rows, at(1))))
	assert.Empty(t, CompareAccess(AccessAt(rows, at(4)), AccessAt(rows, at(4))))
}

// What a scan saw, and was taken for true, was so from then on.
func TestAccessAtAnInstantKnowsWhatScansSaw(t *testing.T) {
	at := func(hours int) time.Time { return time.Date(2027, 3, 1, hours, 0, 0, 0, time.UTC) }
	drift := func(hours int, kind ledger.FindingKind, what string, is ledger.LinkState) ledger.AuditRow {
		return ledger.AuditRow{
			At: at(hours), App: "wiki", Action: ledger.AuditDriftSeen, Actor: "tenure", Cause: "scan 7",
			Detail: map[string]any{"finding": 1.0, "kind": string(kind), "what": what, "was": "any", "is": string(is)},
		}
	}
	rows := []ledger.AuditRow{
		drift(1, ledger.FindingUnlinked, "", ledger.LinkActive),
		drift(2, ledger.FindingStray, "admins", ledger.LinkActive),
		drift(3, ledger.FindingLacking, "admins", ledger.LinkActive),
		drift(4, ledger.FindingOff, "", ledger.LinkDisabled),
		drift(5, ledger.FindingState, "", ledger.LinkActive),
		drift(6, ledger.FindingMissing, "", ledger.LinkDeleted),
		drift(7, ledger.FindingState, "", ledger.LinkActive),
		{At: at(8), App: "wiki", Action: ledger.AuditFreed, Actor: "ada"},
	}
	for hours, want := range []string{"none", "active []", "active [admins]", "active []", "disabled []", "active []", "none", "active []", "none"} {
		got := "none"
		if access := AccessAt(rows, at(hours)); len(access) > 0 {
			got = fmt.Sprint(access[0].State, " ", access[0].Names())
			assert.Equal(t, at(hours), access[0].ProvenAt)
		}
		assert.Equal(t, want, got, "at %d h", hours)
	}
}

// Rows of versions that did not note what an account had tell it by what was granted and
// revoked.
func TestAccessAtAnInstantOfOlderRows(t *testing.T) {
	at := func(hours int) time.Time { return time.Date(2027, 3, 1, hours, 0, 0, 0, time.UTC) }
	rows := []ledger.AuditRow{
		{At: at(1), App: "wiki", Action: "created", Actor: "tenure", Detail: map[string]any{"granted": []any{"readers"}}},
		{At: at(2), App: "wiki", Action: "updated", Actor: "tenure", Detail: map[string]any{"granted": []any{"admins"}, "revoked": []any{"readers"}}},
		{At: at(3), App: "wiki", Action: "retry", Actor: "ada", Detail: map[string]any{"step": "k1"}},
		{At: at(4), App: "wiki", Action: "disabled", Actor: "tenure"},
		{At: at(5), App: "wiki", Action: "unlinked", Actor: "ada"},
	}
	names := func(hours int) any {
		access := AccessAt(rows, at(hours))
		if len(access) == 0 {
			return "none"
		}
		return []any{string(access[0].State), access[0].Names()}
	}
	assert.Equal(t, []any{"active", []string{"readers"}}, names(1))
	assert.Equal(t, []any{"active", []string{"admins"}}, names(3))
	assert.Equal(t, []any{"disabled", []string{"admins"}}, names(4))
	assert.Equal(t, "none", names(5))
}
