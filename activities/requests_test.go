package activities_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

// made counts the requests of each kind.
type made = map[string]int

// TestRequestsOfSteps bounds the requests of the most frequent steps, which the owner of an
// app has to know. It says what each request is for, so that none is added unnoticed.
func TestRequestsOfSteps(t *testing.T) {
	for name, shy := range map[string]bool{"shows the groups of users": false, "shows the members of groups only": true} {
		t.Run(name, func(t *testing.T) {
			c := newCRM(t, shy)
			c.hire(t, "3")
			c.requests(t, "3") // this person stays
			c.hire(t, "1")
			c.requests(t, "1") // with this person, the connector learns what the service can do, and the names of its groups
			most := func(what string, want map[string]made) {
				t.Helper()
				got := c.requests(t, "2")
				require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)), what)
				for step, kinds := range got {
					for kind, n := range kinds {
						limit := want[step][kind]
						if kind == "GET Groups" && !shy {
							limit -= want[step]["reads"]
						}
						assert.LessOrEqual(t, n, limit, "%s: %s: %s, of %v", what, step, kind, kinds)
					}
				}
			}
			c.hire(t, "2")
			most("hired", map[string]made{"Provision": {
				"GET Users":    4, // by person, by username, by address; and the proof of everything
				"POST Users":   1,
				"PATCH Groups": 3,
				"GET Groups":   1, "reads": 1, // memberships, if the user does not show them
			}})
			c.promote(t, "2", "Doctor")
			most("another title", map[string]made{"Update": {
				"GET Users":   2, // the addresses that Tenure has to keep; and the proof
				"PATCH Users": 1,
				"GET Groups":  1, "reads": 1,
			}})
			c.promote(t, "2", "Lead")
			most("another title and group", map[string]made{"Update": {
				"GET Users":    2,
				"PATCH Users":  1,
				"PATCH Groups": 1,
				"GET Groups":   2, "reads": 1, // one group by its name
			}})
			leaves := func() map[string]made {
				return map[string]made{
					"Disable": {"PATCH Users": 1, "GET Users": 1},
					"Strip": {
						"GET Users":    3, // what the account has; and the proof, for which somebody else's account has to show its groups
						"PATCH Groups": 4,
						"GET Groups":   3, "reads": 2, // the same; if users show their groups, that no group shows this member
					},
				}
			}
			c.end(t, "1")
			c.requests(t, "1") // with this person, the connector learns how the service shows disabled and removed members
			c.end(t, "2")
			most("leaves", leaves())
		})
	}
}

func (c crm) end(t *testing.T, person string) {
	t.Helper()
	yesterday := hr.DateOf(time.Now()).AddDays(-1)
	c.say(t, "end "+person, hr.Event{Type: hr.EventTerminated, PersonID: person, Effective: yesterday, Termination: &hr.Termination{LastDay: yesterday}})
}
