package plan

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// handsOver reports whether the data of a leaver's account have yet to be handed over.
func (m *maker) handsOver(link Link, traits App) bool {
	return (traits.HandOver || traits.HandOverByDelete) && m.Desired.Standing.Status == hr.StatusEnded &&
		(link.State == LinkActive || link.HandedOverAt.IsZero()) &&
		!m.Skipped[m.ending(HandOver, link.App).Key]
}

// handOverByDelete notes the hand-over that the app does as it deletes the account, if it does
// one.
func (m *maker) handOverByDelete(link Link, traits App) {
	if traits.HandOverByDelete && m.Recipients[link.App] && m.handsOver(link, traits) {
		m.byDelete = append(m.byDelete, m.ending(HandOver, link.App))
	}
}

// strip plans to take the account's entitlements: all of them, or those without which data can
// be handed over as long as that has yet to be done.
func (m *maker) strip(link Link, traits App, pending bool) {
	step := m.ending(Strip, link.App)
	var keep []string
	if pending && len(traits.HandOverNeeds) > 0 {
		keep = traits.HandOverNeeds
		step = m.keeping(link.App, keep)
	}
	more := len(link.Entitlements) > len(kept(link.Entitlements, keep))
	if link.State == LinkActive || link.StrippedAt.IsZero() || more || link.UnsureState || len(link.UnsureEntitlements) > 0 {
		m.add(step)
	}
}

// keeping returns a step that strips an account of everything but what a hand-over needs. Its
// key differs from that of the step that takes the rest.
func (m *maker) keeping(app string, keep []string) Step {
	step := m.ending(Strip, app, "keeping")
	step.Keep = keep
	return step
}

// Kept returns those of the entitlements that a Strip leaves the account; nil if none.
func (s Step) Kept(names []string) []string { return kept(names, s.Keep) }

// kept returns those of the entitlements that are needed.
func kept(names, needs []string) (all []string) {
	for _, name := range names {
		if slices.ContainsFunc(needs, func(need string) bool {
			return need == name || strings.HasSuffix(need, ":") && strings.HasPrefix(name, need)
		}) {
			all = append(all, name)
		}
	}
	return all
}
