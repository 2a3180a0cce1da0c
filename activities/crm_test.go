package activities_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// crm is an app that speaks SCIM, in which everybody is in three groups.
type crm struct {
	wiki
	app  *scimtest.Service
	url  string
	lose *atomic.Int64 // counts down: the change of a group that brings it to 0 loses its answer
}

// newCRM opens the app. A shy app does not show the groups of users, like many services.
func newCRM(t *testing.T, shy bool) crm {
	t.Helper()
	app, err := scimtest.New(scimtest.Options{Groups: []string{"staff", "engineers", "readers", "leads"}})
	require.NoError(t, err)
	var handler http.Handler = app
	if shy {
		handler = withoutGroups(app)
	}
	lose := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/Groups/") && lose.Add(-1) == 0 {
			handler.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	url := server.URL + scimtest.BasePath
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	compiled, err := policy.Compile(policy.Rules{
		Person: policy.PersonRules{Email: "person.username + '@example.com'"},
		Apps: map[string]policy.AppRules{"crm": {Attributes: map[string]string{
			"title": "person.jobTitle", "name.givenName": "person.givenName", "name.familyName": "person.familyName", "emails": "person.email",
		}}},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "crm", Entitlements: []string{"staff", "engineers", "readers"}}}},
			{Name: "leads", When: "person.jobTitle == 'Lead'", Grants: []policy.Grant{{App: "crm", Entitlements: []string{"leads"}}}},
		},
	})
	require.NoError(t, err)
	return crm{app: app, url: url, lose: lose, wiki: wiki{Activities: &activities.Activities{Engine: &provision.Engine{
		Ledger: store, Policy: compiled, Clock: clock.Real(), Log: zap.NewNop(), AttentionAfter: time.Hour,
		Apps: map[string]*provision.App{"crm": {Connector: opened(t, url)}},
	}}}}
}

// opened returns the connector of a worker that has just started.
func opened(t *testing.T, url string) connector.Connector {
	t.Helper()
	c, err := scim.Kind.Open(t.Context(), connector.Env{App: "crm"}, connector.Settings{"url": url, "token": "t"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// withoutGroups hides the groups of users in the answers of a service.
func withoutGroups(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		app.ServeHTTP(answer, r)
		var body map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &body) == nil {
			delete(body, "groups")
			resources, _ := body["Resources"].([]any)
			for _, resource := range resources {
				delete(resource.(map[string]any), "groups")
			}
			text, _ := json.Marshal(body) //nolint:errchkjson // it was JSON
			answer.Body = bytes.NewBuffer(text)
			answer.Header().Del("Content-Length")
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// say records an HR event.
func (c crm) say(t *testing.T, id string, e hr.Event) {
	t.Helper()
	now := time.Now()
	e.EventKey, e.Recorded = hr.EventKey{Source: "/hr", ID: id + now.String()}, now
	_, err := c.Ledger.Record(t.Context(), []ledger.Received{{At: now, Event: e}})
	require.NoError(t, err)
}

func (c crm) hire(t *testing.T, person string) {
	t.Helper()
	day := hr.DateOf(time.Now()).AddDays(-2)
	c.say(t, "hire "+person, hr.Event{Type: hr.EventHired, PersonID: person, Effective: day, Profile: profile(person, "Engineer")})
}

func (c crm) promote(t *testing.T, person, title string) {
	t.Helper()
	c.say(t, title+" "+person, hr.Event{
		Type: hr.EventUpdated, PersonID: person, Effective: hr.DateOf(time.Now()).AddDays(-1), Profile: profile(person, title),
	})
}

func profile(person, title string) *hr.Profile {
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Love" + person, JobTitle: title,
		StartDate: hr.DateOf(time.Now()).AddDays(-2), Location: hr.Location{TimeZone: "UTC"},
	}
}

// next makes one attempt at the first step that has to be done.
func (c crm) next(t *testing.T, person string) (provision.Todo, error) {
	t.Helper()
	assessment, err := c.Assess(t.Context(), person)
	require.NoError(t, err)
	require.NotEmpty(t, assessment.Todo)
	result, err := c.applyFor(person, assessment.Todo[0])
	if err == nil {
		require.Equal(t, provision.ResultDone, result.Result)
	}
	return assessment.Todo[0], err
}

// requests applies all that has to be done for a person, and counts the requests by step.
func (c crm) requests(t *testing.T, person string) map[string]map[string]int {
	t.Helper()
	all := map[string]map[string]int{}
	for {
		assessment, err := c.Assess(t.Context(), person)
		require.NoError(t, err)
		if len(assessment.Todo) == 0 {
			return all
		}
		before := c.app.Stats().ByKind
		step, err := c.next(t, person)
		require.NoError(t, err)
		made := c.app.Stats().ByKind
		maps.DeleteFunc(made, func(kind string, n int) bool { made[kind] = n - before[kind]; return made[kind] == 0 })
		require.NotContains(t, all, string(step.Kind), "it is done at once")
		all[string(step.Kind)] = made
	}
}

// If the answer to adding a member is lost, the member is not added again, neither by the
// next attempt nor by another step that is planned instead: some services would list the
// member twice.
func TestAGrantWhoseAnswerWasLostIsNotRepeated(t *testing.T) {
	for name, shy := range map[string]bool{"shows the groups of users": false, "shows the members of groups only": true} {
		t.Run(name, func(t *testing.T) {
			c := newCRM(t, shy)
			c.hire(t, "1")
			c.loses(t, "1", 2)
			assert.Equal(t, 1, c.requests(t, "1")["Provision"]["PATCH Groups"], "of three, one is left")

			c.promote(t, "1", "Lead")
			c.loses(t, "1", 1)
			assert.Zero(t, c.requests(t, "1")["Update"]["PATCH Groups"])

			c.promote(t, "1", "Doctor")
			c.loses(t, "1", 1)
			assert.Zero(t, c.requests(t, "1")["Update"]["PATCH Groups"], "nor is what was taken")

			c.promote(t, "1", "Lead")
			c.loses(t, "1", 1)
			married := profile("1", "Lead")
			married.FamilyName = "King"
			c.say(t, "marries", hr.Event{Type: hr.EventUpdated, PersonID: "1", Effective: hr.DateOf(time.Now()).AddDays(-1), Profile: married})
			assert.Zero(t, c.requests(t, "1")["Update"]["PATCH Groups"], "nor by a step that is another one")
		})
	}
}

// loses makes an attempt that loses the answer to the nth change of a group.
func (c crm) loses(t *testing.T, person string, nth int64) {
	t.Helper()
	c.lose.Store(nth)
	_, err := c.next(t, person)
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, string(connector.KindUnavailable), failure.Type())
	require.LessOrEqual(t, c.lose.Load(), int64(0))
}

// hidden makes a service hide everybody's groups.
var hidden = scimtest.Deviations{MembersHidden: true, DeafFilters: []string{"members/value"}}

// A worker takes the groups that Tenure gave, even if the app hides everybody's groups
// from it. They count as taken only once the app shows somebody's groups again.
func TestALeaverLosesWhatIsNotShown(t *testing.T) {
	c := newCRM(t, false)
	c.hire(t, "1")
	c.requests(t, "1")
	require.Equal(t, []string{"engineers", "readers", "staff"}, c.app.Users()[0].Groups)
	c.app.SetDeviations(hidden)
	c.Apps["crm"].Connector = opened(t, c.url)
	c.end(t, "1")
	c.isStrippedOnlyIfShown(t)
}

// isStrippedOnlyIfShown checks that a leaver loses all groups, and that this counts as
// done only once the app shows somebody's groups again.
func (c crm) isStrippedOnlyIfShown(t *testing.T) {
	t.Helper()
	step, err := c.next(t, "1")
	require.NoError(t, err)
	require.Equal(t, plan.Disable, step.Kind)
	for range 2 {
		step, err = c.next(t, "1")
		require.Equal(t, plan.Strip, step.Kind)
		require.ErrorContains(t, err, "shows no member of any group")
		c.Apps["crm"].Connector = opened(t, c.url) // a new worker, which knows nothing of the attempt
	}
	assert.False(t, c.app.Users()[0].Active)
	assert.Empty(t, c.app.Users()[0].Groups)
	c.app.SetDeviations(scimtest.Deviations{})
	c.app.AddUser(scimtest.User{UserName: "bob", Active: true, Groups: []string{"leads"}})
	c.requests(t, "1")
}

// If the app answers a change with 200 and the old resource, the step is not done,
// however well-formed the answer is.
func TestAChangeThatIsAnsweredAndNotMadeIsNotDone(t *testing.T) {
	for name, shy := range map[string]bool{"shows the groups of users": false, "shows the members of groups only": true} {
		t.Run(name, func(t *testing.T) {
			c := newCRM(t, shy)
			var handler http.Handler = c.app
			if shy {
				handler = withoutGroups(c.app)
			}
			var deaf atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if deaf.Load() && r.Method != http.MethodGet {
					r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
				}
				handler.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			c.Apps["crm"].Connector = opened(t, server.URL+scimtest.BasePath)
			c.hire(t, "2")
			c.requests(t, "2") // this person stays
			c.hire(t, "1")
			c.requests(t, "1")

			isNotDone := func(kind plan.Kind) {
				t.Helper()
				deaf.Store(true)
				for range 2 {
					step, err := c.next(t, "1")
					require.Equal(t, kind, step.Kind)
					require.Error(t, err)
				}
				deaf.Store(false)
			}
			c.promote(t, "1", "Doctor")
			isNotDone(plan.Update)
			c.promote(t, "1", "Lead")
			isNotDone(plan.Update)
			c.requests(t, "1")
			c.end(t, "1")
			isNotDone(plan.Disable)
			step, err := c.next(t, "1")
			require.NoError(t, err)
			require.Equal(t, plan.Disable, step.Kind)
			isNotDone(plan.Strip)
			c.requests(t, "1")
		})
	}
}
