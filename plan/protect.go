package plan

import (
	"slices"
	"strings"
)

// withhold puts the steps in protected apps aside. It runs after everything that plans
// steps, so that none is forgotten. The times at which such steps fall due stay, so that
// an operator sees them then.
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
