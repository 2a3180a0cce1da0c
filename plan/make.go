package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/policy"
)

// Make returns the plan that turns the linked accounts into the access that policy wants.
func Make(in Input) Plan {
	m := maker{
		Input:   in,
		links:   set.Index(in.Links, func(l Link) string { return l.App }),
		desired: set.Index(in.Desired.Accounts, func(a policy.Account) string { return a.App }),
	}
	for _, app := range m.apps() {
		m.planApp(app)
	}
	m.withhold()
	m.order()
	ended := m.takeEnded()
	slices.Sort(m.skipped)
	return Plan{
		Change:   m.change(),
		Urgent:   in.Desired.Standing.Urgent && slices.ContainsFunc(m.steps, func(s Step) bool { return s.Kind == Disable }),
		Steps:    m.steps,
		Withheld: m.withheld,
		Skipped:  slices.Compact(m.skipped),
		Due:      m.nextDue(),

		ByDelete:  m.byDelete,
		Ended:     ended,
		Deletions: m.deletions,
	}
}

type maker struct {
	Input
	links   map[string]Link
	desired map[string]policy.Account

	steps    []Step
	withheld []Step   // see Plan.Withheld
	skipped  []string // see Plan.Skipped
	dues     []Due

	byDelete  []Step // see Plan.ByDelete
	deletions []Deletion
}

// apps lists the names of the apps that matter for this person, sorted.
func (m *maker) apps() []string {
	names := slices.Collect(maps.Keys(m.links))
	names = slices.AppendSeq(names, maps.Keys(m.desired))
	slices.Sort(names)
	return slices.Compact(names)
}

func (m *maker) planApp(app string) {
	link := m.links[app]
	want, wanted := m.desired[app]
	switch {
	case m.OnlyOff:
		m.turnOff(link)
	case !wanted:
		m.withdraw(link, app)
	case want.Enabled:
		m.give(link, want)
	case m.cutOff():
		m.suspend(link, want)
	default:
		m.prepare(link, want)
	}
	frozen := m.Apps[app].Frozen && !want.Enabled // then it gets its new name when it is enabled
	if wanted && !m.OnlyOff && !frozen {
		m.relabel(link)
	}
}

// relabel plans to give an existing account its new username and external ID, where the
// app can.
func (m *maker) relabel(link Link) {
	there := link.State == LinkActive || link.State == LinkDisabled
	if !there || link.RenameTo == "" && link.OwnerWas == "" || !m.Apps[link.App].Relabel {
		return
	}
	m.add(Step{Key: key(link.App, Relabel, link.RenameTo, link.OwnerWas), App: link.App, Kind: Relabel, Why: "known by another name"})
}

// cutOff reports whether the person is employed but must not have access now. (The other
// reason for a disabled account is a start date that is to come.)
func (m *maker) cutOff() bool {
	status := m.Desired.Standing.Status
	return status == hr.StatusOnLeave || status == hr.StatusSuspended
}

// give plans for an account that must exist and be enabled.
func (m *maker) give(link Link, want policy.Account) {
	if link.State != LinkActive || link.UnsureState {
		m.provision(link, want)
		return
	}
	m.update(link, want)
}

// prepare plans for an account that must exist, disabled, before the start date.
func (m *maker) prepare(link Link, want policy.Account) {
	switch link.State {
	case LinkActive:
		m.disable(link)
		m.update(link, want)
	case LinkDisabled:
		m.verify(link)
		m.update(link, want)
	default:
		m.provision(link, want)
	}
}

// suspend plans for an account that may exist but must be disabled. It makes none.
func (m *maker) suspend(link Link, want policy.Account) {
	m.turnOff(link)
	there := link.State == LinkActive || link.State == LinkDisabled
	if there && m.Desired.Standing.Status == hr.StatusOnLeave {
		m.update(link, want)
	}
}

// turnOff plans for an account that must be disabled, and is kept.
func (m *maker) turnOff(link Link) {
	switch link.State {
	case LinkActive:
		m.disable(link)
	case LinkPlanned, LinkDisabled:
		m.verify(link)
	}
}

// withdraw plans for an account that policy no longer wants: it is disabled at once, then
// stripped and handed over, and deleted after retention.
func (m *maker) withdraw(link Link, app string) {
	traits := m.Apps[app]
	if link.State == LinkNone || link.State == LinkDeleted {
		return
	}
	m.stillSkipped(app)
	switch link.State {
	case LinkPlanned:
		m.verify(link)
		return
	case LinkActive:
		if !traits.Disable && traits.Delete && traits.Leaver.Delete && m.mayDelete(app, traits, time.Time{}) {
			m.add(m.ending(Delete, app)) // the app cannot disable accounts: deletion is the only way to take access
			m.handOverByDelete(link, traits)
			return
		}
		if !m.disable(link) {
			return // an operator decided that this account stays
		}
	case LinkDisabled:
		m.verify(link)
	}

	pending := m.handsOver(link, traits)
	m.strip(link, traits, pending)
	byDelete := traits.HandOverByDelete && m.Recipients[app]
	begins := m.Recipients[app] || traits.HandOverAsks || len(kept(link.Entitlements, traits.HandOverNeeds)) > 0
	if pending && begins && !byDelete {
		m.add(m.ending(HandOver, app))
	}
	switch deletes := m.delete(link, traits); {
	case deletes && pending && !begins:
		m.add(m.ending(HandOver, app)) // nobody can be given the data: an operator must decide before the account is deleted
	case deletes:
		m.handOverByDelete(link, traits)
	}
}

func (m *maker) accessEnded() time.Time {
	standing := m.Desired.Standing
	if standing.Status == hr.StatusEnded && standing.Period != nil {
		return standing.Period.Ends
	}
	return time.Time{}
}

// verify plans to disable an account once more if a call that gives access may still be under
// way: as soon as that call is certainly over. It also does so for a link that is only planned,
// because the account may exist, and after a call that may have enabled the account and came to
// no proof.
func (m *maker) verify(link Link) {
	switch {
	case link.DoubtUntil.After(m.Now):
		m.dues = append(m.dues, Due{At: link.DoubtUntil, What: DueVerify, App: link.App})
	case link.State == LinkPlanned || !link.DoubtUntil.IsZero():
		m.off(link.App, link.DoubtUntil.Format(time.RFC3339))
	case link.UnsureState:
		m.off(link.App, "unsure")
	}
}

// disable plans to disable an account. It returns false if an operator skipped that.
func (m *maker) disable(link Link) bool { return m.off(link.App) }

// off plans to disable an account, without destroying it if it must be kept.
func (m *maker) off(app string, more ...string) bool {
	traits := m.Apps[app]
	spare := m.held() && traits.Destroys || !traits.Disable && traits.Delete
	if m.held() && traits.Destroys {
		m.dues = append(m.dues, Due{At: m.HeldUntil, What: DueHold})
	}
	step := m.ending(Disable, app, more...)
	if spare {
		step = m.spared(app, more...)
	}
	return m.add(step)
}

// spared returns a step that disables an account without destroying it. Its key differs from
// that of the step that destroys it, because no human is needed when the hold is over.
func (m *maker) spared(app string, more ...string) Step {
	step := m.ending(Disable, app, append(more, "spare")...)
	step.Spare = true
	return step
}

func (m *maker) provision(link Link, want policy.Account) {
	if m.MakeNone {
		return
	}
	names, why := entitlements(want)
	m.add(Step{
		Key: key(want.App, Provision, fmt.Sprint(want.Enabled), policy.Digest(want.Attributes), strings.Join(names, "\x00"),
			m.period()),
		App: want.App, Kind: Provision,
		Enabled: want.Enabled, Grant: names, Why: why,
		Restore: m.restores(link, want.App),
	})
}

// restores reports whether the account that was deleted last can be brought back.
func (m *maker) restores(link Link, app string) bool {
	traits := m.Apps[app]
	there := link.State == LinkActive || link.State == LinkDisabled
	return !there && traits.Restore && traits.BackUntil(link.BinnedAt).After(m.Now)
}

func (m *maker) update(link Link, want policy.Account) {
	names, why := entitlements(want)
	// What may have been revoked is granted, and what may have been granted is revoked.
	grant := set.Minus(names, set.Minus(link.Entitlements, link.UnsureEntitlements))
	all := slices.Concat(link.Entitlements, set.Minus(link.UnsureEntitlements, link.Entitlements))
	revoke := slices.Sorted(slices.Values(set.Minus(all, names)))
	digest := policy.Digest(want.Attributes)
	if !want.Enabled && m.Apps[want.App].Frozen { // what is missing comes when it is enabled
		grant, digest = nil, link.Attributes
	}
	if len(grant) == 0 && len(revoke) == 0 && digest == link.Attributes {
		return
	}
	sessions := m.endsSessions(link, revoke)
	m.add(Step{
		Key: key(want.App, Update, withSessions(sessions, digest, strings.Join(grant, "\x00"), strings.Join(revoke, "\x00"), m.period())...),
		App: want.App, Kind: Update,
		Attributes: digest != link.Attributes, Grant: grant, Revoke: revoke, Why: why, Sessions: sessions,
	})
}

// endsSessions reports whether the sessions of an account end when entitlements are taken.
func (m *maker) endsSessions(link Link, revoke []string) bool {
	return link.State == LinkActive && len(set.Intersect(revoke, m.Apps[link.App].EndSessions)) > 0
}

// withSessions returns the content of a step's key, for a step that may also end sessions.
func withSessions(sessions bool, content ...string) []string {
	if sessions {
		return append(content, "sessions")
	}
	return content
}

// takeEnded returns the steps that take what has ended by itself, in apps in which other steps
// take it together with something else.
func (m *maker) takeEnded() []Step {
	var all []Step
	for _, app := range slices.Sorted(maps.Keys(m.Ended)) {
		link := m.links[app]
		has := slices.Concat(link.Entitlements, set.Minus(link.UnsureEntitlements, link.Entitlements))
		names, _ := entitlements(m.desired[app])
		revoke := slices.Sorted(slices.Values(set.Minus(set.Intersect(has, m.Ended[app]), names)))
		if len(revoke) == 0 || link.State != LinkActive && link.State != LinkDisabled || !m.takes(app, revoke) {
			continue
		}
		sessions := m.endsSessions(link, revoke)
		s := Step{
			Key: key(app, Update, withSessions(sessions, "ended", strings.Join(revoke, "\x00"), m.period())...), App: app, Kind: Update,
			Revoke: revoke, Sessions: sessions, Only: true, Why: "its time is over",
		}
		if !m.isSkipped(s.Key) {
			all = append(all, s)
		}
	}
	return all
}

// takes reports whether there are steps in an app that take more than these entitlements. There
// are none if an operator has skipped them, or the account is protected.
func (m *maker) takes(app string, names []string) bool {
	return slices.ContainsFunc(m.steps, func(s Step) bool {
		only := s.Kind == Update && !s.Attributes && len(s.Grant) == 0 && slices.Equal(s.Revoke, names)
		return s.App == app && s.Kind != Provision && s.Kind != Relabel && !only
	})
}

// ending returns a step that takes access away. Its key names the ending that it belongs
// to, so that a decision to skip it holds for that ending only.
func (m *maker) ending(kind Kind, app string, more ...string) Step {
	status := m.Desired.Standing.Status
	parts := append([]string{string(status), m.period()}, more...)
	why := reasons[status]
	if m.Orphan && status == hr.StatusUnknown {
		why = "nobody's account"
	}
	return Step{Key: key(app, kind, parts...), App: app, Kind: kind, Why: why}
}

var reasons = map[hr.Status]string{
	hr.StatusUnknown:   "hire rescinded",
	hr.StatusUpcoming:  "not started",
	hr.StatusActive:    "no longer granted by policy",
	hr.StatusOnLeave:   "on leave",
	hr.StatusSuspended: "suspended",
	hr.StatusEnded:     "access ended",
}

// period returns a text that identifies the present standing among all of a person's.
func (m *maker) period() string {
	return m.Desired.Standing.Since.UTC().Format(time.RFC3339Nano)
}

// add adds a step, and reports whether it did. It does not if an operator skipped the step.
func (m *maker) add(s Step) bool {
	if m.isSkipped(s.Key) {
		return false
	}
	m.steps = append(m.steps, s)
	return true
}

// isSkipped reports whether an operator skipped a step that is due, and notes that the skip
// still holds.
func (m *maker) isSkipped(key string) bool {
	if !m.Skipped[key] {
		return false
	}
	m.skipped = append(m.skipped, key)
	return true
}

// stillSkipped notes that the skips of an account's endings still hold. They hold as long as
// policy wants no account, also for steps that wait for something, such as the end of a hold.
func (m *maker) stillSkipped(app string) {
	for _, kind := range []Kind{Disable, Strip, HandOver, Delete} {
		m.isSkipped(m.ending(kind, app).Key)
	}
	m.isSkipped(m.spared(app).Key)
	m.isSkipped(m.keeping(app, nil).Key)
}

func (m *maker) has(app string, kind Kind) bool { return m.keyOf(app, kind) != "" }

func (m *maker) keyOf(app string, kind Kind) string {
	i := slices.IndexFunc(m.steps, func(s Step) bool { return s.App == app && s.Kind == kind })
	if i < 0 {
		return ""
	}
	return m.steps[i].Key
}

// order sorts the steps by kind, and sets which step waits for which. Within an app each ending
// waits for the one before it. Across apps, accounts are created in the order of After and
// deleted in the reverse order. A step that disables an account waits for nothing, with one
// exception: if accounts of an app appear at sign-in, it waits until the app by which people
// sign in is disabled, or has failed.
func (m *maker) order() {
	for i := range m.steps {
		s := &m.steps[i]
		for _, kind := range precedes[s.Kind] {
			if k := m.keyOf(s.App, kind); k != "" {
				s.Needs = append(s.Needs, k)
			}
		}
		switch s.Kind {
		case Disable:
			if k := m.keyOf(m.Apps[s.App].Behind, Disable); k != "" && m.Apps[s.App].Behind != s.App {
				s.Follows = append(s.Follows, k)
			}
		case Provision:
			for _, other := range m.Apps[s.App].After {
				if k := m.keyOf(other, Provision); k != "" {
					s.Needs = append(s.Needs, k)
				}
			}
		case Delete:
			for other, traits := range m.Apps {
				if k := m.keyOf(other, Delete); k != "" && slices.Contains(traits.After, s.App) {
					s.Follows = append(s.Follows, k)
				}
			}
		}
		slices.Sort(s.Needs)
		slices.Sort(s.Follows)
	}
	slices.SortStableFunc(m.steps, func(a, b Step) int {
		if d := rank[a.Kind] - rank[b.Kind]; d != 0 {
			return d
		}
		return strings.Compare(a.App, b.App)
	})
}

// precedes reports which steps of the same app a step waits for. No two steps of one app
// run at once, because each of them stores the whole link.
var precedes = map[Kind][]Kind{
	Relabel:  {Disable, Provision, Update},
	Update:   {Disable},
	Strip:    {Disable},
	HandOver: {Disable, Strip},
	Delete:   {Disable, Strip, HandOver},
}

// rank is the order in which kinds are listed. The kind that takes access comes first.
var rank = map[Kind]int{Disable: 0, Provision: 1, Update: 2, Relabel: 3, Strip: 4, HandOver: 5, Delete: 6}

// change returns the plan's kind of change: Leaver if access ends, Joiner if it begins where
// there was none, Mover otherwise.
func (m *maker) change() Change {
	if len(m.steps) == 0 {
		return None
	}
	switch m.Desired.Standing.Status {
	case hr.StatusEnded, hr.StatusUnknown, hr.StatusSuspended:
		if slices.ContainsFunc(m.steps, func(s Step) bool { return s.Kind != Provision }) {
			return Leaver
		}
	}
	begins := slices.ContainsFunc(m.steps, func(s Step) bool { return s.Kind == Provision })
	enabled := slices.ContainsFunc(m.Links, func(l Link) bool { return l.State == LinkActive })
	if begins && !enabled {
		return Joiner
	}
	return Mover
}

// key returns a step key: its beginning is readable, and the hash at its end makes it exact.
func key(app string, kind Kind, content ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(content, "\x1f")))
	return app + "/" + string(kind) + "/" + hex.EncodeToString(sum[:6])
}

// Genuine reports whether the step's key belongs to its app and kind, as the key of every
// planned step does. Anybody who can write to Temporal can ask for other steps.
func (s Step) Genuine() bool {
	return strings.HasPrefix(s.Key, s.App+"/"+string(s.Kind)+"/")
}

// entitlements returns the names of an account's entitlements, and why policy grants them or,
// if there are none, the account.
func entitlements(a policy.Account) (names []string, why string) {
	var roles []string
	for _, e := range a.Entitlements {
		roles = append(roles, e.Roles...)
	}
	if len(a.Entitlements) == 0 {
		roles = append(roles, a.Roles...)
	}
	slices.Sort(roles)
	why = strings.Join(slices.Compact(roles), ", ")
	return a.EntitlementNames(), cmp.Or(why, "kept after a move")
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}
