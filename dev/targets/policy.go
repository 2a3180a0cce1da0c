package targets

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
)

// Policy returns the account that the tests' configurations give to everybody who works at the end of a
// history, by the person's ID, and who has left.
func Policy(history *company.History) (want map[string]Account, left []string) {
	want = map[string]Account{}
	for _, x := range history.Expected(time.Now()) {
		switch x.Status {
		case hr.StatusActive:
			want[x.PersonID] = Account{Person: x.PersonID, On: true, Title: x.JobTitle, Groups: Groups(x)}
		case hr.StatusEnded:
			left = append(left, x.PersonID)
		}
	}
	return want, left
}

// Groups returns the groups that the roles of the tests' configurations grant, sorted.
func Groups(x company.Expected) []string {
	names := []string{"everyone"}
	switch x.Department {
	case "Development", "Research":
		names = append(names, "makers")
	case "Sales", "Marketing":
		names = append(names, "sellers")
	}
	if strings.Contains(x.JobTitle, "Manager") {
		names = append(names, "managers")
	}
	slices.Sort(names)
	return names
}

// In returns what policy grants in one target: SCIMMY has no group of everyone.
func In(target Target, all map[string]Account) map[string]Account {
	want := map[string]Account{}
	for person, a := range all {
		a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(group string) bool { return group == "everyone" && target.Name() == "SCIMMY" })
		want[person] = a
	}
	return want
}

// Differs returns how a server differs from what policy says; empty if it does not.
func Differs(want map[string]Account, left []string, got map[string]Account) string {
	for person, w := range want {
		if g, there := got[person]; !there || w.On != g.On || w.Title != g.Title || !slices.Equal(w.Groups, g.Groups) {
			return fmt.Sprintf("person %s: want %+v, got %+v", person, w, g)
		}
	}
	for person, g := range got {
		if _, active := want[person]; !active && g.On {
			return fmt.Sprintf("person %s must have no access, and has %+v", person, g)
		}
	}
	for _, person := range left {
		if g := got[person]; len(g.Groups) > 0 {
			return fmt.Sprintf("person %s has left, and is in %v", person, g.Groups)
		}
	}
	return ""
}
