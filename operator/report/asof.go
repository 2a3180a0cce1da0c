package report

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

// AccessThen is what a person had in one app at an instant, according to the audit record.
type AccessThen struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`             // active or disabled
	Since        time.Time        `json:"since"`             // from when on it was in that state
	Because      string           `json:"because,omitempty"` // the cause on the record
	By           string           `json:"by,omitempty"`      // who did it, if not Tenure
	ProvenAt     time.Time        `json:"provenAt"`          // the last proof up to that instant
	Entitlements []Had            `json:"entitlements"`      // by name

	// LastUsedAt is when the account was last used, as a scan saw it last; zero if unknown: see
	// AddLastUse.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
}

// Had is an entitlement that somebody had at an instant.
type Had struct {
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
	Because string    `json:"because,omitempty"` // the cause on the record when it was given
	By      string    `json:"by,omitempty"`      // who gave it, if not Tenure
}

// Names returns the names of the entitlements.
func (a AccessThen) Names() []string {
	names := make([]string, len(a.Entitlements))
	for i, e := range a.Entitlements {
		names[i] = e.Name
	}
	return names
}

// stateAfter holds the state of an account after an action, for rows of versions that did not
// note it. Actions that are not in it do not change the state.
var stateAfter = map[string]ledger.LinkState{
	"created": ledger.LinkActive, "adopted": ledger.LinkActive, "enabled": ledger.LinkActive, "restored": ledger.LinkActive,
	"prepared": ledger.LinkDisabled, "disabled": ledger.LinkDisabled,
	"deleted": ledger.LinkDeleted, "found_gone": ledger.LinkDeleted,
}

// StateAfter returns the state that an account has after what a row of the audit record tells, and
// false if the row does not tell.
func StateAfter(row ledger.AuditRow) (ledger.LinkState, bool) {
	row = observed(row)
	if row.Action == "unlinked" {
		return ledger.LinkDeleted, true
	}
	if state, noted := row.Detail[ledger.DetailState].(string); noted {
		return ledger.LinkState(state), true
	}
	state, told := stateAfter[row.Action]
	return state, told
}

// AccessAt returns what somebody had at an instant, by app, according to the rows of the audit
// record about them, oldest first. Accounts that were deleted, unlinked or never there are left
// out.
func AccessAt(rows []ledger.AuditRow, at time.Time) []AccessThen {
	byApp := map[string]*AccessThen{}
	for _, row := range rows {
		if row.At.After(at) || row.App == "" {
			continue
		}
		row = observed(row)
		state, noted := row.Detail[ledger.DetailState].(string)
		was := byApp[row.App]
		switch {
		case row.Action == "unlinked":
			delete(byApp, row.App)
			continue
		case !noted:
			if state = string(stateAfter[row.Action]); state == "" && (was == nil || !changesEntitlements(row)) {
				continue
			}
			if state == "" {
				state = string(was.State)
			}
		}
		if s := ledger.LinkState(state); s != ledger.LinkActive && s != ledger.LinkDisabled {
			delete(byApp, row.App)
			continue
		}
		if was == nil {
			was = &AccessThen{App: row.App}
			byApp[row.App] = was
		}
		was.take(row, ledger.LinkState(state))
	}
	out := []AccessThen{}
	for _, a := range byApp {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b AccessThen) int { return cmp.Compare(a.App, b.App) })
	return out
}

// observed returns the row of what a scan saw, and an operator or Tenure then took for true, as a
// row that tells what the account had from then on. It returns any other row as it is.
func observed(row ledger.AuditRow) ledger.AuditRow {
	switch row.Action {
	case ledger.AuditFreed:
		row.Action = "unlinked"
	case ledger.AuditDriftSeen:
		what, _ := row.Detail["what"].(string)
		kind, _ := row.Detail["kind"].(string)
		detail := map[string]any{ledger.DetailState: row.Detail["is"]}
		switch ledger.FindingKind(kind) {
		case ledger.FindingStray:
			detail["granted"] = []string{what}
		case ledger.FindingLacking:
			detail["revoked"] = []string{what}
		default: // it is about the account
		}
		row.Detail = detail
	}
	return row
}

func changesEntitlements(row ledger.AuditRow) bool {
	return len(texts(row.Detail["granted"]))+len(texts(row.Detail["revoked"])) > 0
}

// take notes what a row says that the account is from then on.
func (a *AccessThen) take(row ledger.AuditRow, state ledger.LinkState) {
	a.ProvenAt = row.At
	because, by := row.Cause, row.Actor
	if by == ledger.ActorTenure {
		by = ""
	}
	if a.State != state {
		a.State, a.Since, a.Because, a.By = state, row.At, because, by
	}
	names := texts(row.Detail[ledger.DetailHas])
	if _, noted := row.Detail[ledger.DetailHas]; !noted {
		names = set.Minus(append(a.Names(), set.Minus(texts(row.Detail["granted"]), a.Names())...), texts(row.Detail["revoked"]))
	}
	had := a.Entitlements
	a.Entitlements = []Had{}
	for _, name := range slices.Sorted(slices.Values(names)) {
		i := slices.IndexFunc(had, func(h Had) bool { return h.Name == name })
		if i >= 0 {
			a.Entitlements = append(a.Entitlements, had[i])
			continue
		}
		a.Entitlements = append(a.Entitlements, Had{Name: name, Since: row.At, Because: because, By: by})
	}
}

// texts returns the texts of a list in the detail of an audit row, which comes from JSON.
func texts(value any) []string {
	switch list := value.(type) {
	case []string:
		return list
	case []any:
		var out []string
		for _, v := range list {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// AccessOf reads the record and returns what a person had at an instant. Accounts that were
// carried over from an earlier ID of the same human are included, those that were carried over to
// another one are not.
func AccessOf(ctx context.Context, l ledger.Reader, personID string, at time.Time) ([]AccessThen, error) {
	person, err := l.Person(ctx, personID)
	if err != nil {
		return nil, err
	}
	ids := []string{personID}
	for _, e := range person.Earlier {
		ids = append(ids, e.PersonID)
	}
	var rows []ledger.AuditRow
	for _, id := range ids {
		for row, err := range ledger.AllAudit(ctx, l, id, 0) {
			if err != nil {
				return nil, err
			}
			if row.At.After(at) {
				continue // while several processes write, rows are not in the order of their times
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b ledger.AuditRow) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq))
	})
	return AccessAt(withCarried(rows, ids), at), nil
}

// AddLastUse notes with what somebody has now when it was last used, as far as scans saw that.
func AddLastUse(ctx context.Context, l ledger.Reader, personID string, now []AccessThen) error {
	person, err := l.Person(ctx, personID)
	if err != nil {
		return err
	}
	for i, a := range now {
		j := slices.IndexFunc(person.Links, func(link ledger.Link) bool { return link.App == a.App && link.AccountID != "" })
		if j < 0 {
			continue
		}
		seen, _, err := l.Seen(ctx, a.App, person.Links[j].AccountID)
		if err != nil {
			return err
		}
		now[i].LastUsedAt = seen.LastUsedAt
	}
	return nil
}

// HolderThen is somebody who had access to an app at an instant.
type HolderThen struct {
	Person string `json:"person"`
	Name   string `json:"name,omitempty"`
	AccessThen
}

// WhoThen yields everybody who had an enabled account in an app at an instant or, with an
// entitlement, had that one there, by the audit record. It reads one person at a time.
func WhoThen(ctx context.Context, l ledger.Reader, at time.Time, app, entitlement string) iter.Seq2[HolderThen, error] {
	return func(yield func(HolderThen, error) bool) {
		for s, err := range ledger.AllPeople(ctx, l, "") {
			if err != nil {
				yield(HolderThen{}, err)
				return
			}
			access, err := AccessOf(ctx, l, s.PersonID, at)
			if err != nil {
				yield(HolderThen{}, err)
				return
			}
			i := slices.IndexFunc(access, func(a AccessThen) bool { return a.App == app })
			if i < 0 || access[i].State != ledger.LinkActive || entitlement != "" && !slices.Contains(access[i].Names(), entitlement) {
				continue
			}
			if !yield(HolderThen{Person: s.PersonID, Name: SummaryOf(s).Name(), AccessThen: access[i]}, nil) {
				return
			}
		}
	}
}

// withCarried adds to the rows about some IDs, oldest first, that accounts were unlinked from them
// when they were carried over to another ID, or back to one.
func withCarried(rows []ledger.AuditRow, ids []string) []ledger.AuditRow {
	var all []ledger.AuditRow
	for i, row := range rows {
		all = append(all, row)
		to, _ := row.Detail["new"].(string)
		from, _ := row.Detail["old"].(string)
		back := slices.ContainsFunc(rows[i+1:], func(later ledger.AuditRow) bool {
			return later.Action == "unlinked" && later.Detail["new"] == to
		})
		away := row.Action == "linked" && to != "" && !slices.Contains(ids, to) && !back
		returned := row.Action == "unlinked" && from != "" && !slices.Contains(ids, from)
		if row.App != "" || !away && !returned {
			continue
		}
		for _, app := range texts(row.Detail["apps"]) {
			all = append(all, ledger.AuditRow{At: row.At, App: app, Action: "unlinked"})
		}
	}
	return all
}

// AccessChange says in what the access at one instant differs from that at another.
type AccessChange struct {
	App  string `json:"app"`
	What string `json:"what"` // "account", or the name of an entitlement
	Was  string `json:"was"`  // "none", "active", "disabled"; for an entitlement "yes" or "no"
	Is   string `json:"is"`
}

// CompareAccess lists what differs between two instants, by app.
func CompareAccess(before, after []AccessThen) []AccessChange {
	changes := []AccessChange{}
	find := func(list []AccessThen, app string) AccessThen {
		i := slices.IndexFunc(list, func(a AccessThen) bool { return a.App == app })
		if i < 0 {
			return AccessThen{App: app, State: "none"}
		}
		return list[i]
	}
	var apps []string
	for _, a := range slices.Concat(before, after) {
		apps = append(apps, a.App)
	}
	slices.Sort(apps)
	for _, app := range slices.Compact(apps) {
		was, is := find(before, app), find(after, app)
		if was.State != is.State {
			changes = append(changes, AccessChange{App: app, What: "account", Was: string(was.State), Is: string(is.State)})
		}
		for _, name := range set.Minus(was.Names(), is.Names()) {
			changes = append(changes, AccessChange{App: app, What: name, Was: "yes", Is: "no"})
		}
		for _, name := range set.Minus(is.Names(), was.Names()) {
			changes = append(changes, AccessChange{App: app, What: name, Was: "no", Is: "yes"})
		}
	}
	return changes
}

// why returns the reason for access in a few words.
func why(because, by string) string {
	if by == "" {
		return because
	}
	return strings.TrimSpace(fmt.Sprintf("%s (by %s)", because, by))
}

// Why returns the reason for the account's state.
func (a AccessThen) Why() string { return why(a.Because, a.By) }

// Why returns the reason for the entitlement.
func (h Had) Why() string { return why(h.Because, h.By) }
