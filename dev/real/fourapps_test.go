//go:build real

package real

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/targets"
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
	opts := company.Typical(4, targets.CompanySize(t, 400)) // as many as SCIMMY, which works on one request at a time, takes within some minutes
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	want, left := targets.Policy(history)
	require.NotEmpty(t, want)
	require.NotEmpty(t, left)

	prefix := targets.Prefix()
	four := []targets.Target{targets.NewOpenLDAP(t, prefix), targets.NewSamba(t, prefix), targets.NewPostgreSQL(t, prefix), newApp(t, prefix)}
	topics := newTopics(t)
	args := []any{topics.broker, topics.events}
	for _, target := range four {
		for _, group := range groupNames {
			target.Found(t, group)
		}
		args = append(args, target.Settings())
	}
	startTenure(t, fmt.Sprintf(fourApps, append(args, prefix)...))

	begun := time.Now()
	half := len(history.Events) / 2
	topics.publish(t, history.Events[:half])
	for _, target := range four {
		require.Eventually(t, func() bool {
			now := targets.ByPerson(t, target)
			return slices.ContainsFunc(left, func(person string) bool { return now[person].On })
		}, fourPatience, time.Second, "nobody has access in %s of those who are to leave", target.Name())
	}
	topics.publish(t, history.Events[half:])
	for _, target := range four {
		wrong := ""
		if !assert.Eventually(t, func() bool {
			wrong = targets.Differs(targets.In(target, want), left, targets.ByPerson(t, target))
			return wrong == ""
		}, fourPatience, lookEvery, "%s is not as policy says", target.Name()) {
			require.FailNow(t, wrong, target.Name())
		}
		t.Logf("%s is as policy says after %s: %d with access, %d who have left", target.Name(), time.Since(begun).Round(time.Second), len(want), len(left))
	}
	topics.awaitConsumed(t)
	for _, target := range four {
		assert.Empty(t, targets.Differs(targets.In(target, want), left, targets.ByPerson(t, target)), "%s, once more", target.Name())
	}
	assert.Zero(t, topics.ends(t, topics.letters)[0], "dead letters")
}
