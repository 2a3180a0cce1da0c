package plan

import (
	"slices"
	"strings"
)

// withhold puts the steps in protected apps aside, whatever they are for: it comes
// after all that plans steps, so that no way of planning one can forget it. When such
// a step would fall due stays as it is, so that it is seen then.
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
