package plan

import (
	"slices"
	"strings"
)

// withhold moves the steps in protected apps to withheld. It runs after everything that plans
// steps, so that none is forgotten. The times at which such steps are due stay, so that an
// operator sees the steps then.
func (m *maker) withhold() {
	protected := func(s Step) bool { return m.Protected[s.App] }
	for _, s := range m.steps {
		if protected(s) {
			m.withheld = append(m.withheld, s)
		}
	}
	m.steps = slices.DeleteFunc(m.steps, protected)
	slices.SortStableFunc(m.withheld, func(a, b Step) int {
		if d := rank[a.Kind] - rank[b.Kind]; d != 0 {
			return d
		}
		return strings.Compare(a.App, b.App)
	})
}
