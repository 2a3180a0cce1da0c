//go:build real

package real

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
)

// fourApps is a configuration with four apps of four kinds; its verbs are the
// broker, the topic, the settings of each, and the prefix of groups.
// OpenLDAP and Active Directory keep a leaver's account, disabled; PostgreSQL and
// SCIMMY delete it. SCIMMY has no group of everybody: changing one of 800 members
// takes it half a second, during which it answers nobody.
const fourApps = `
kafka:
  brokers: [%[1]q]
  topics: [{name: %[2]q, source: cloudevents, settings: {types: [worker.*, security.*]}}]
ledger: {url: "sqlite:tenure.db"}
metrics: {worker: "{{.WorkerMetrics}}", starter: "{{.StarterMetrics}}"}
person:
  username: "ascii(lower(person.givenName.substring(0, 1) + (size(person.familyName) > 15 ? person.familyName.substring(0, 15) : person.familyName)))"
  email: "person.username + '@example.com'"
apps:
  openldap:
    connector: ldap
    settings: %[3]s
    attributes: {cn: "person.givenName + ' ' + person.familyName", sn: person.familyName, title: person.jobTitle}
    leaver: {retain: 30d}
  samba:
    connector: activedirectory
    settings: %[4]s
    attributes: {displayName: "person.givenName + ' ' + person.familyName", sn: person.familyName, title: person.jobTitle}
    leaver: {retain: 30d}
  postgresql:
    connector: postgres
    settings: %[5]s
    attributes: {comment: person.jobTitle}
  scimmy:
    connector: scim
    settings: %[6]s
    attributes: {name.givenName: person.givenName, name.familyName: person.familyName, title: person.jobTitle, emails: person.email}
roles:
  - {name: everyone, when: "true", grants: [
      {app: openldap, entitlements: [%[7]severyone]}, {app: samba, entitlements: [%[7]severyone]},
      {app: postgresql, entitlements: [%[7]severyone]}, {app: scimmy}]}
  - {name: makers, when: "person.department in ['Development', 'Research']", grants: [
      {app: openldap, entitlements: [%[7]smakers]}, {app: samba, entitlements: [%[7]smakers]},
      {app: postgresql, entitlements: [%[7]smakers]}, {app: scimmy, entitlements: [%[7]smakers]}]}
  - {name: sellers, when: "person.department in ['Sales', 'Marketing']", grants: [
      {app: openldap, entitlements: [%[7]ssellers]}, {app: samba, entitlements: [%[7]ssellers]},
      {app: postgresql, entitlements: [%[7]ssellers]}, {app: scimmy, entitlements: [%[7]ssellers]}]}
  - {name: managers, when: "person.jobTitle.contains('Manager')", grants: [
      {app: openldap, entitlements: [%[7]smanagers]}, {app: samba, entitlements: [%[7]smanagers]},
      {app: postgresql, entitlements: [%[7]smanagers]}, {app: scimmy, entitlements: [%[7]smanagers]}]}
leaver: {retain: 1s, delete: true}
sweep: {every: 2s}
breaker: {enabled: false} # years of leavers come within a minute
`

// groupNames lists the groups that the roles grant, without their prefix.
var groupNames = []string{"everyone", "makers", "sellers", "managers"}

// target is a server as its own tools show it.
type target interface {
	name() string
	// settings returns the settings of the app in the configuration, as JSON.
	settings() string
	// has reports whether a group of groupNames is granted there.
	has(group string) bool
	// look returns the account of everybody who has one, by person ID.
	look(t *testing.T) map[string]account
}

// account holds what a server shows of a person's account.
type account struct {
	Enabled bool
	Title   string
	Groups  []string // without the prefix, sorted
}

// fourPatience bounds how long the whole test may take: the machine may be small, and it
// runs all of the servers.
const fourPatience = 20 * time.Minute

// lookEvery is the pause between two times that a server is asked for everybody. SCIMMY
// needs a second or more for that and answers nobody else meanwhile, because it works on
// one request at a time.
const lookEvery = 15 * time.Second

// TestCompanyInFourApps sends the history of a company, in two parts, into OpenLDAP,
// Active Directory, PostgreSQL and SCIMMY at once. In the end each of them shows, by its
// own tools, what policy says, and nothing else.
func TestCompanyInFourApps(t *testing.T) {
	opts := company.Typical(4, companySize(t))
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	want, left := map[string]account{}, []string(nil)
	for _, x := range history.Expected(time.Now()) {
		switch x.Status {
		case hr.StatusActive:
			want[x.PersonID] = account{Enabled: true, Title: x.JobTitle, Groups: groups(x)}
		case hr.StatusEnded:
			left = append(left, x.PersonID)
		}
	}
	require.NotEmpty(t, want)
	require.NotEmpty(t, left)

	prefix := "t" + strings.ToLower(rand.Text()[:6]) + "_"
	targets := []target{newOpenLDAP(t, prefix), newSamba(t, prefix), newPostgreSQL(t, prefix), scimmy{newApp(t), prefix}}
	topics := newTopics(t)
	args := []any{topics.broker, topics.events}
	for _, target := range targets {
		args = append(args, target.settings())
	}
	startTenure(t, fmt.Sprintf(fourApps, append(args, prefix)...))

	begun := time.Now()
	half := len(history.Events) / 2
	topics.publish(t, history.Events[:half])
	for _, target := range targets {
		require.Eventually(t, func() bool {
			now := target.look(t)
			return slices.ContainsFunc(left, func(person string) bool { return now[person].Enabled })
		}, fourPatience, time.Second, "nobody has access in %s of those who are to leave", target.name())
	}
	topics.publish(t, history.Events[half:])
	for _, target := range targets {
		wrong := ""
		if !assert.Eventually(t, func() bool {
			wrong = differs(wantedIn(target, want), left, target.look(t))
			return wrong == ""
		}, fourPatience, lookEvery, "%s is not as policy says", target.name()) {
			require.FailNow(t, wrong, target.name())
		}
		t.Logf("%s is as policy says after %s: %d with access, %d who have left", target.name(), time.Since(begun).Round(time.Second), len(want), len(left))
	}
	topics.awaitConsumed(t)
	for _, target := range targets {
		assert.Empty(t, differs(wantedIn(target, want), left, target.look(t)), "%s, once more", target.name())
	}
	assert.Zero(t, topics.ends(t, topics.letters)[0], "dead letters")
}

// wantedIn returns what policy grants in one target.
func wantedIn(target target, all map[string]account) map[string]account {
	want := map[string]account{}
	for person, a := range all {
		a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(group string) bool { return !target.has(group) })
		want[person] = a
	}
	return want
}

// differs returns how a server differs from what policy says; empty if it does not.
func differs(want map[string]account, left []string, got map[string]account) string {
	for person, w := range want {
		if g, there := got[person]; !there || w.Enabled != g.Enabled || w.Title != g.Title || !slices.Equal(w.Groups, g.Groups) {
			return fmt.Sprintf("person %s: want %+v, got %+v", person, w, g)
		}
	}
	for person, g := range got {
		if _, active := want[person]; !active && g.Enabled {
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

// bare returns the names of groups without the prefix of this run, sorted. Groups without
// the prefix are left out.
func bare(prefix string, names []string) []string {
	var mine []string
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			mine = append(mine, rest)
		}
	}
	slices.Sort(mine)
	return mine
}
