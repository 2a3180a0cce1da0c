package preview

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCompare(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	soon, late := now.Add(24*time.Hour), now.Add(48*time.Hour)
	update := func(at time.Time, grant, revoke []string, attributes ...Attribute) Change {
		return Change{App: "wiki", At: at, Do: Update, Grant: grant, Revoke: revoke, Attributes: attributes}
	}
	deletion := func(at time.Time) Change { return Change{App: "wiki", At: at, Do: Delete} }
	instead := func(at, was time.Time) Change { return Change{App: "wiki", At: at, Was: was, Do: Delete} }
	title := Attribute{Name: "title", Was: "Clerk", Is: "Chief"}
	for name, tc := range map[string]struct {
		before, after, changes, calledOff []Change
		disabled, deleted, postponed      int
	}{
		"nothing":           {},
		"the same":          {before: []Change{deletion(late)}, after: []Change{deletion(late)}},
		"a deletion":        {after: []Change{deletion(late)}, changes: []Change{deletion(late)}, deleted: 1},
		"of another app":    {before: []Change{{App: "chat", At: late, Do: Delete}}, after: []Change{deletion(late)}, changes: []Change{deletion(late)}, calledOff: []Change{{App: "chat", At: late, Do: Delete}}, deleted: 1},
		"earlier":           {before: []Change{deletion(late)}, after: []Change{deletion(soon)}, changes: []Change{instead(soon, late)}, deleted: 1},
		"later":             {before: []Change{deletion(soon)}, after: []Change{deletion(late)}, changes: []Change{instead(late, soon)}, postponed: 1},
		"called off":        {before: []Change{deletion(soon)}, calledOff: []Change{deletion(soon)}},
		"more of an update": {before: []Change{update(now, []string{"a"}, nil)}, after: []Change{update(now, []string{"a", "b"}, []string{"c"}, title)}, changes: []Change{update(now, []string{"b"}, []string{"c"}, title)}},
		"less of an update": {before: []Change{update(now, []string{"a", "b"}, nil, title)}, after: []Change{update(now, []string{"a"}, nil, title)}, calledOff: []Change{update(now, []string{"b"}, nil)}},
		"updates of two days": {
			before: []Change{update(soon, []string{"a"}, nil)}, after: []Change{update(late, []string{"b"}, nil)},
			changes: []Change{update(late, []string{"b"}, nil)}, calledOff: []Change{update(soon, []string{"a"}, nil)},
		},
		"a disable that a human must do": {
			after:   []Change{{App: "wiki", At: now, Do: Disable, Problem: "the connector cannot disable"}},
			changes: []Change{{App: "wiki", At: now, Do: Disable, Problem: "the connector cannot disable"}},
		},
		"a disable": {after: []Change{{App: "wiki", At: now, Do: Disable}}, changes: []Change{{App: "wiki", At: now, Do: Disable}}, disabled: 1},
	} {
		t.Run(name, func(t *testing.T) {
			changes, calledOff := compare(tc.before, tc.after)
			assert.Equal(t, describe(tc.changes), describe(changes))
			assert.Equal(t, describe(tc.calledOff), describe(calledOff))
			var totals Totals
			totals.Add(Outcome{Changes: changes, CalledOff: calledOff})
			assert.Equal(t, tc.disabled, totals.Accounts.Disable)
			assert.Equal(t, tc.deleted, totals.Accounts.Delete)
			assert.Equal(t, tc.postponed, totals.Accounts.Postpone)
		})
	}
}

// describe returns changes as text, in which a nil list and an empty one are the same.
func describe(changes []Change) []Change {
	var out []Change
	for _, c := range changes {
		if len(c.Grant) == 0 {
			c.Grant = nil
		}
		if len(c.Revoke) == 0 {
			c.Revoke = nil
		}
		if len(c.Attributes) == 0 {
			c.Attributes = nil
		}
		out = append(out, c)
	}
	return out
}
