package scim_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// showing returns a connector to a service that shows one user in a given form.
func showing(t *testing.T, user string) connector.Connector {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		if r.URL.Path != "/Users/1" {
			_, _ = w.Write([]byte(`{"totalResults":0,"Resources":[]}`))
			return
		}
		_, _ = w.Write([]byte(`{"id":"1","userName":"zoe",` + user + `}`))
	}))
	t.Cleanup(server.Close)
	return open(t, connector.Settings{"url": server.URL, "token": token})
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func TestWhatServicesMakeOfAttributes(t *testing.T) {
	const id = "2819C223-7F76-453A-919D-413861904646"
	for name, test := range map[string]struct {
		user    string
		set     map[string]any
		dropped []string
	}{
		"nothing is kept": {`"title":null`, map[string]any{"title": "CEO", "department": "Board"}, []string{"department", "title"}},
		"the case of names and values": {`"TITLE":"ceo","` + enterprise + `":{"Department":"BOARD"}`,
			map[string]any{"title": "CEO", "department": "Board"}, nil},
		"the full name of an attribute": {`"` + enterprise + `":{"department":"Board"}`, map[string]any{enterprise + ":department": "Board"}, nil},
		"an extension of another spelling": {`"URN:Example:Params:2.0:User":{"Badge":"7"}`,
			map[string]any{"urn:example:params:2.0:User:badge": int64(7), "urn:example:params:2.0:User:floor": int64(3)},
			[]string{"urn:example:params:2.0:User:floor"}},
		"an address without a type":     {`"emails":[{"value":"Zoe@Example.com"}]`, map[string]any{"emails": "zoe@example.com"}, nil},
		"an address of type Work":       {`"emails":[{"value":"a@home.example","type":"home"},{"value":"zoe@example.com","type":"Work"}]`, map[string]any{"emails": "zoe@example.com"}, nil},
		"somebody's private address":    {`"emails":[{"value":"zoe@example.com","type":"work"}]`, map[string]any{"emails": "other@example.com"}, []string{"emails"}},
		"an address that was not taken": {`"emails":[]`, map[string]any{"emails": "zoe@example.com"}, []string{"emails"}},
		"a phone as a URI":              {`"phoneNumbers":[{"value":"tel:+49-30-1234","type":"work"}]`, map[string]any{"phoneNumbers": "+49 30 1234"}, nil},
		"a manager":                     {`"` + enterprise + `":{"manager":{"value":"` + id + `","displayName":"Max"}}`, map[string]any{"manager": "2819c223-7f76-453a-919d-413861904646"}, nil},
		"a manager by its address":      {`"` + enterprise + `":{"manager":{"$ref":"../Users/26118915"}}`, map[string]any{"manager": "26118915"}, nil},
		"a manager's ID alone":          {`"` + enterprise + `":{"manager":"26118915"}`, map[string]any{"manager": "26118915"}, nil},
		"a manager as a number":         {`"` + enterprise + `":{"manager":{"value":26118915}}`, map[string]any{"manager": "26118915"}, nil},
		"a manager in a list":           {`"` + enterprise + `":{"manager":[{"value":"26118915"}]}`, map[string]any{"manager": "26118915"}, nil},
		"another manager":               {`"` + enterprise + `":{"manager":{"value":"abc"}}`, map[string]any{"manager": "ABC"}, []string{"manager"}},
		"no manager":                    {`"` + enterprise + `":{"manager":{}}`, map[string]any{"manager": ""}, nil},
		"a language tag":                {`"locale":"en_US","preferredLanguage":"de"`, map[string]any{"locale": "en-US", "preferredLanguage": "fr"}, []string{"preferredLanguage"}},
		"a name in place of nothing":    {`"displayName":"Zoe"`, map[string]any{"displayName": ""}, nil},
		"what was not cleared":          {`"title":"CEO"`, map[string]any{"title": ""}, []string{"title"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := showing(t, test.user)
			account, err := c.Read(t.Context(), "1")
			require.NoError(t, err)
			dropped, err := connector.Dropped(t.Context(), c, account, test.set)
			require.NoError(t, err)
			assert.Equal(t, test.dropped, dropped)
		})
	}
}

// The answer to the POST repeats what was sent, and proves nothing.
func TestACreationIsNotProvenByItsEcho(t *testing.T) {
	app, url := serve(t)
	app.SetFaults(scimtest.Faults{Forget: []string{"title", "department", "externalId"}})
	c := open(t, connector.Settings{"url": url, "token": token})
	set := map[string]any{"title": "CEO", "department": "Board", "displayName": "Zoe"}
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "7", Username: "zoe", Active: true, Attributes: set})
	require.NoError(t, err)
	assert.Equal(t, "7", made.ExternalID, "so the app says")
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Empty(t, account.ExternalID)
	dropped, err := connector.Dropped(t.Context(), c, account, set)
	require.NoError(t, err)
	assert.Equal(t, []string{"department", "title"}, dropped)
}

// allOf returns a value for each attribute that can be mapped.
func allOf(mark, manager string) map[string]any {
	all := map[string]any{"manager": manager, "emails": mark + "@Example.com", "phoneNumbers": "+49 30 " + mark, "profileUrl": "https://example.com/" + mark}
	for _, name := range []string{
		"displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone",
		"name.formatted", "name.givenName", "name.middleName", "name.familyName", "name.honorificPrefix", "name.honorificSuffix",
		"employeeNumber", "costCenter", "organization", "division", "department",
	} {
		all[name] = mark
	}
	return all
}

// No attribute that a service keeps counts as dropped, in whatever form it was changed.
func TestEveryServiceKeepsEveryAttribute(t *testing.T) {
	services := map[string]connector.Settings{"generic": {}, "object": {"changeUsers": "object"}, "put": {"changeUsers": "put"}}
	for vendor := range vendors {
		services[vendor] = nil
	}
	for name, settings := range services {
		t.Run(name, func(t *testing.T) {
			var url string
			if settings == nil {
				settings = maps.Clone(vendors[name].settings)
				_, url = standIn(t, name)
				settings = merged(settings, connector.Settings{"profile": name})
			} else {
				_, url = serve(t)
			}
			settings = merged(settings, connector.Settings{"url": url, "token": token})
			c, doubt := open(t, settings), scim.Kind.Foresees(settings).Doubt
			known := func(mark, manager string) map[string]any {
				all := allOf(mark, manager)
				maps.DeleteFunc(all, func(name string, _ any) bool { return doubt(name) != "" })
				return all
			}
			keeps := func(id string, set map[string]any) {
				t.Helper()
				account, err := c.Read(t.Context(), id)
				require.NoError(t, err)
				dropped, err := connector.Dropped(t.Context(), c, account, set)
				require.NoError(t, err)
				assert.Empty(t, dropped)
			}
			set := known("1234567", "2819c223-7f76-453a-919d-413861904646")
			made, err := c.Create(t.Context(), connector.Spec{PersonID: "7", Username: "zoe", Active: true, Attributes: set})
			require.NoError(t, err)
			keeps(made.ID, set)
			set = known("7654321", "902c246b-6245-4190-8e05-00816be7344a")
			require.NoError(t, c.Update(t.Context(), made.ID, set))
			keeps(made.ID, set)
		})
	}
}

func merged(all ...connector.Settings) connector.Settings {
	settings := connector.Settings{}
	for _, s := range all {
		maps.Copy(settings, s)
	}
	return settings
}
