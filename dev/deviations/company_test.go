//go:build real

package deviations

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/targets"
	"github.com/tenurehq/tenure/hr"
)

// threeApps is a configuration with three apps whose administrators do much past Tenure; its
// verbs are the settings of each app, the prefix of groups, and who answers for what: see cast.
// What is done about differences is different in each app. Nobody is given the group admins.
const threeApps = `
kafka: {brokers: ["localhost:9092"], topics: [{name: hr.events, source: cloudevents}]}
ledger: {url: "sqlite:tenure.db"}
person:
  username: "'u' + person.id"
  email: "'u' + person.id + '@example.com'"
apps:
  openldap:
    connector: ldap
    settings: %[1]s
    attributes: {cn: "person.givenName + ' ' + person.familyName", sn: person.familyName, title: person.jobTitle, mail: person.email}
    protected: [svc-backup, svc-monitor]
    owner: [%[9]q]
  postgresql:
    connector: postgres
    settings: %[2]s
    attributes: {comment: person.jobTitle}
    protected: [svc-backup, svc-monitor]
    reconcile: {grace: 1, lacking: ask}
    owner: [%[9]q]
  scimmy:
    connector: scim
    settings: %[3]s
    attributes: {name.givenName: person.givenName, name.familyName: person.familyName, title: person.jobTitle, emails: person.email}
    protected: [svc-backup, svc-monitor]
    reconcile: {grace: 1, stray: repair, attributes: report}
    owner: [%[5]q]
  register: {connector: memory}
roles:
  - {name: known, owner: [%[5]q], when: "true", grants: [{app: register}]} # so that everybody has a username
  - {name: everyone, owner: [%[5]q], when: "person.department != 'Elsewhere'", grants: [
      {app: openldap, entitlements: [%[4]severyone]}, {app: postgresql, entitlements: [%[4]severyone]}, {app: scimmy}]}
  - {name: makers, owner: [%[6]q], when: "person.department in ['Development', 'Research']", grants: [
      {app: openldap, entitlements: [%[4]smakers]}, {app: postgresql, entitlements: [%[4]smakers]}, {app: scimmy, entitlements: [%[4]smakers]}]}
  - {name: sellers, owner: [%[7]q], when: "person.department in ['Sales', 'Marketing']", grants: [
      {app: openldap, entitlements: [%[4]ssellers]}, {app: postgresql, entitlements: [%[4]ssellers]}, {app: scimmy, entitlements: [%[4]ssellers]}]}
  - {name: managers, owner: [%[5]q], when: "person.jobTitle.contains('Manager')", grants: [
      {app: openldap, entitlements: [%[4]smanagers]}, {app: postgresql, entitlements: [%[4]smanagers]}, {app: scimmy, entitlements: [%[4]smanagers]}]}
governance: {fallback: [%[8]q, %[9]q]}
reviews:
  - {name: yearly, days: 14, remind: [7d], escalate: 7d, undecided: revoke, settle: 24h}
leaver: {retain: 30d, delete: true, handOver: none}
`

// groupNames lists the groups, without their prefix.
var groupNames = []string{"everyone", "makers", "sellers", "managers", "admins"}

// serviceAccounts lists accounts that are there before Tenure, and that it is not to touch.
var serviceAccounts = []string{"svc-backup", "svc-monitor"}

// cast is who answers for what. Nobody of them makes or sells anything.
type cast struct {
	keeper   string // for apps and roles, and keeps all
	leaver   string // for the makers, and leaves
	idler    string // for the sellers, and does nothing
	fallback string // decides where others cannot
	strict   string // for two apps, and revokes what nothing gives
}

func castOf(t *testing.T, history *company.History) cast {
	t.Helper()
	var free []string
	for _, x := range history.Expected(time.Now()) {
		if x.Status == hr.StatusActive && x.Department == "Production" && !strings.Contains(x.JobTitle, "Manager") && x.Ends.IsZero() {
			free = append(free, x.PersonID)
		}
	}
	require.GreaterOrEqual(t, len(free), 5, "the company is too small")
	return cast{keeper: free[0], leaver: free[1], idler: free[2], fallback: free[3], strict: free[4]}
}

func (c cast) all() []string { return []string{c.keeper, c.leaver, c.idler, c.fallback, c.strict} }

// site is a server as an app of the configuration.
type site struct {
	targets.Administrator
	app string
}

// firm is a company whose accounts the product has made in three servers.
type firm struct {
	*office
	prefix string
	sites  []site
	cast   cast
	want   map[string]targets.Account // what policy gives everybody who works there
	left   []string                   // who has left
	asked  []string                   // the findings about which an operator is asked in the end
}

// TestACompanyIsReconciledAndReviewed has the accounts of a company made by the product in
// OpenLDAP, PostgreSQL and SCIMMY. Then see deviations, and review.
func TestACompanyIsReconciledAndReviewed(t *testing.T) {
	f := newFirm(t)
	require.True(t, t.Run("deviations", f.deviations))
	t.Run("review", f.review)
}

func newFirm(t *testing.T) *firm {
	t.Helper()
	opts := company.Typical(60, targets.CompanySize(t, 1000))
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	prefix := targets.Prefix()
	f := &firm{prefix: prefix, cast: castOf(t, history), sites: []site{
		{targets.NewOpenLDAP(t, prefix), "openldap"}, {targets.NewPostgreSQL(t, prefix), "postgresql"}, {targets.NewSCIMMY(t, prefix), "scimmy"},
	}}
	var args []any
	for _, s := range f.sites {
		for _, group := range groupNames {
			s.Found(t, group)
		}
		for _, username := range serviceAccounts {
			s.Create(t, username, "", true)
		}
		// Where groups are empty, a service that shows nobody's groups looks the same.
		s.Put(t, serviceAccounts[0], "everyone", true)
		args = append(args, s.Settings())
	}
	args = append(args, prefix)
	for _, id := range f.cast.all() {
		args = append(args, id)
	}
	path := filepath.Join(t.TempDir(), "tenure.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, threeApps, args...), 0o600))
	f.office = newOffice(t, path)
	f.want, f.left = targets.Policy(history)

	begun := time.Now()
	f.engine.Breaker = nil // years of leavers come within a minute
	half := len(history.Events) / 2
	require.NoError(t, f.hear(append(slices.Clone(history.Events[:half]), outsiders()...)))
	require.NoError(t, f.hear(history.Events[half:]))
	for _, s := range f.sites {
		require.Empty(t, targets.Differs(targets.In(s, f.want), f.left, targets.ByPerson(t, s)), "%s is not as policy says", s.app)
	}
	t.Logf("%d people have accounts in %d apps, and %d have left, after %s", len(f.want), len(f.sites), len(f.left), time.Since(begun).Round(time.Second))
	return f
}

// elsewhere and gone are people beyond the history: those have no access to any of the three
// apps, and these had none before they left.
func elsewhere(i int) string { return fmt.Sprint("e", i) }
func gone(i int) string      { return fmt.Sprint("g", i) }

// outside is how many of each there are: for each app, as many as deviations needs.
const outside = 12

// newcomers are people beyond the history.
type newcomers struct{ elsewhere, gone []string }

// newcomersOf returns those for one app of three.
func newcomersOf(app int) (some newcomers) {
	for i := app * outside / 3; i < (app+1)*outside/3; i++ {
		some.elsewhere, some.gone = append(some.elsewhere, elsewhere(i)), append(some.gone, gone(i))
	}
	return some
}

// outsiders returns the events about people beyond the history.
func outsiders() (events []hr.Event) {
	for i := range outside {
		for _, person := range []string{elsewhere(i), gone(i)} {
			e := hr.Event{
				EventKey: hr.EventKey{Source: "/hr/beyond", ID: person}, Type: hr.EventHired, PersonID: person, Recorded: time.Now(),
				Effective: hr.Date{Year: 2020, Month: time.January, Day: 1},
				Profile: &hr.Profile{
					Type: hr.TypeContractor, GivenName: "Kim", FamilyName: "Beyond", JobTitle: "Guest", Department: "Elsewhere",
					StartDate: hr.Date{Year: 2020, Month: time.January, Day: 1}, Location: hr.Location{TimeZone: "UTC"},
				},
			}
			if person == gone(i) {
				e.Profile.EndDate = hr.Date{Year: 2020, Month: time.June, Day: 30}
			}
			events = append(events, e)
		}
	}
	return events
}
