package scimtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const (
	user  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	group = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
	patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
)

// client makes requests of a service.
type client struct {
	t   *testing.T
	app *scimtest.Service
	url string // of the server
}

func serve(t *testing.T, o scimtest.Options) client {
	t.Helper()
	if o.Token == "" {
		o.Token = "demo"
	}
	app, err := scimtest.New(o)
	require.NoError(t, err)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return client{t, app, server.URL}
}

// do makes a request under BasePath, and expects a status. headers are pairs.
func (c client) do(method, path, body string, status int, headers ...string) (answer map[string]any, header http.Header) {
	c.t.Helper()
	return c.at(method, scimtest.BasePath+path, body, status, headers...)
}

func (c client) at(method, path, body string, status int, headers ...string) (answer map[string]any, header http.Header) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer demo")
	req.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { _ = resp.Body.Close() }()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(resp.Body)
	require.NoError(c.t, err)
	require.Equal(c.t, status, resp.StatusCode, raw.String())
	if raw.Len() > 0 {
		require.NoError(c.t, json.Unmarshal(raw.Bytes(), &answer), raw.String())
	}
	return answer, resp.Header
}

func (c client) fails(method, path, body string, status int, scimType string) {
	c.t.Helper()
	answer, header := c.do(method, path, body, status)
	assert.Equal(c.t, []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, answer["schemas"])
	assert.Equal(c.t, fmt.Sprint(status), answer["status"], "RFC 7644 section 3.12: a string")
	assert.Equal(c.t, "application/scim+json", header.Get("Content-Type"))
	assert.NotEmpty(c.t, answer["detail"])
	if scimType == "" {
		assert.NotContains(c.t, answer, "scimType")
		return
	}
	assert.Equal(c.t, scimType, answer["scimType"], answer["detail"])
}

func (c client) make(path, body string) (id string) {
	c.t.Helper()
	answer, _ := c.do("POST", path, body, http.StatusCreated)
	return answer["id"].(string)
}

func TestLifeOfAUser(t *testing.T) {
	c := serve(t, scimtest.Options{})
	made, header := c.do("POST", "/Users", `{`+user+`,"userName":"anna","externalId":"E1","id":"mine","meta":{"version":"x"},"TITLE":"Engineer"}`, 201)
	id := made["id"].(string)
	assert.NotEqual(t, "mine", id, "the service chooses the id")
	assert.Equal(t, true, made["active"], "active unless told otherwise")
	assert.Equal(t, "Engineer", made["title"], "in the schema's spelling")
	meta := made["meta"].(map[string]any)
	assert.Equal(t, c.url+"/scim/v2/Users/"+id, meta["location"])
	assert.Equal(t, meta["location"], header.Get("Location"))
	assert.Equal(t, meta["version"], header.Get("ETag"))
	assert.Equal(t, "User", meta["resourceType"])

	got, _ := c.do("GET", "/Users/"+id, "", 200)
	assert.Equal(t, made, got)

	changed, header := c.do("PATCH", "/Users/"+id, fmt.Sprintf(patch, `{"op":"replace","path":"active","value":false}`), 200)
	assert.Equal(t, false, changed["active"])
	assert.NotEqual(t, meta["version"], header.Get("ETag"))

	put, _ := c.do("PUT", "/Users/"+id, `{`+user+`,"userName":"Anna"}`, 200)
	assert.Equal(t, "Anna", put["userName"])
	assert.NotContains(t, put, "title", "PUT takes away what it does not give")
	assert.NotContains(t, put, "externalId")
	c.make("/Users", `{`+user+`,"userName":"bob","externalId":"E1"}`) // the name is free again

	c.do("DELETE", "/Users/"+id, "", 204)
	c.fails("GET", "/Users/"+id, "", 404, "")
	c.fails("DELETE", "/Users/"+id, "", 404, "")
	c.fails("PATCH", "/Users/"+id, fmt.Sprintf(patch, `{"op":"remove","path":"title"}`), 404, "")
	assert.NotEqual(t, id, c.make("/Users", `{`+user+`,"userName":"anna"}`))
}

func TestRefusals(t *testing.T) {
	c := serve(t, scimtest.Options{Groups: []string{"staff"}})
	anna := c.make("/Users", `{`+user+`,"userName":"anna","externalId":"E1"}`)
	bob := c.make("/Users", `{`+user+`,"userName":"bob"}`)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		scimType           string
	}{
		"no JSON":              {"POST", "/Users", `{`, 400, "invalidSyntax"},
		"a list":               {"POST", "/Users", `[]`, 400, "invalidSyntax"},
		"no schemas":           {"POST", "/Users", `{"userName":"x"}`, 400, "invalidSyntax"},
		"unknown schema":       {"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x"],"userName":"x"}`, 400, "invalidValue"},
		"undeclared extension": {"POST", "/Users", `{` + user + `,"userName":"x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{}}`, 400, "invalidSyntax"},
		"no userName":          {"POST", "/Users", `{` + user + `}`, 400, "invalidValue"},
		"empty userName":       {"POST", "/Users", `{` + user + `,"userName":""}`, 400, "invalidValue"},
		"unknown attribute":    {"POST", "/Users", `{` + user + `,"userName":"x","username2":"y"}`, 400, "invalidSyntax"},
		"twice":                {"POST", "/Users", `{` + user + `,"userName":"x","title":"a","Title":"b"}`, 400, "invalidSyntax"},
		"False as text":        {"POST", "/Users", `{` + user + `,"userName":"x","active":"False"}`, 400, "invalidValue"},
		"userName taken":       {"POST", "/Users", `{` + user + `,"userName":"ANNA"}`, 409, "uniqueness"},
		"externalId taken":     {"POST", "/Users", `{` + user + `,"userName":"x","externalId":"E1"}`, 409, "uniqueness"},
		"renamed to another":   {"PATCH", "/Users/" + bob, fmt.Sprintf(patch, `{"op":"replace","path":"userName","value":"Anna"}`), 409, "uniqueness"},
		"put on another":       {"PUT", "/Users/" + bob, `{` + user + `,"userName":"anna"}`, 409, "uniqueness"},
		"no operations":        {"PATCH", "/Users/" + anna, fmt.Sprintf(patch, ``), 400, "invalidSyntax"},
		"no patch":             {"PATCH", "/Users/" + anna, `{"Operations":[{"op":"remove","path":"title"}]}`, 400, "invalidSyntax"},
		"unknown filter":       {"GET", "/Users?filter=x", ``, 400, "invalidFilter"},
		"startIndex":           {"GET", "/Users?startIndex=one", ``, 400, "invalidValue"},
		"group without name":   {"POST", "/Groups", `{` + group + `}`, 400, "invalidValue"},
		"unknown member":       {"POST", "/Groups", `{` + group + `,"displayName":"x","members":[{"value":"nobody"}]}`, 400, "invalidValue"},
		"member without value": {"POST", "/Groups", `{` + group + `,"displayName":"x","members":[{"display":"x"}]}`, 400, "invalidValue"},
		"unknown endpoint":     {"GET", "/Devices", ``, 404, ""},
		"unknown method":       {"POST", "/Users/" + anna, ``, 405, ""},
		"too large":            {"POST", "/Users", `{` + user + `,"userName":"` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client{t, c.app, c.url}.fails(test.method, test.path, test.body, test.status, test.scimType)
		})
	}
	c.do("POST", "/Users", `{`+user+`,"userName":"x"}`, 415, "Content-Type", "text/plain")
	assert.Len(t, c.app.Users(), 2, "nothing was made")
	c.do("PATCH", "/Users/"+anna, fmt.Sprintf(patch, `{"op":"replace","path":"userName","value":"ANNA"}`), 200)
}

func TestToken(t *testing.T) {
	c := serve(t, scimtest.Options{Token: "demo"})
	for _, authorization := range []string{"", "Bearer", "Bearer wrong", "Basic demo", "demo2"} {
		_, header := c.do("GET", "/Users", "", 401, "Authorization", authorization)
		assert.Equal(t, "Bearer", header.Get("WWW-Authenticate"))
		c.at("GET", "/admin/faults", "", 401, "Authorization", authorization)
		c.at("PUT", "/admin/faults", `{"down":true}`, 401, "Authorization", authorization)
		c.at("GET", "/admin/stats", "", 401, "Authorization", authorization)
	}
	c.do("GET", "/Users", "", 200)
	c.app.SetToken("new")
	c.do("GET", "/Users", "", 401)
}

func TestListing(t *testing.T) {
	c := serve(t, scimtest.Options{})
	for i := range 450 {
		c.app.AddUser(scimtest.User{UserName: fmt.Sprintf("u%03d", i), Active: i%2 == 0})
	}
	for query, want := range map[string]struct {
		total, start, items int
		first               string
	}{
		"":                           {450, 1, 200, "u000"},
		"?count=1000":                {450, 1, 200, "u000"},
		"?count=0":                   {450, 1, 0, ""},
		"?count=-3":                  {450, 1, 0, ""},
		"?startIndex=0&count=2":      {450, 1, 2, "u000"},
		"?startIndex=401":            {450, 401, 50, "u400"},
		"?startIndex=451":            {450, 451, 0, ""},
		"?startIndex=9999":           {450, 9999, 0, ""},
		"?filter=active+eq+false":    {225, 1, 200, "u001"},
		`?filter=userName+eq+"U007"`: {1, 1, 1, "u007"},
		`?filter=userName+sw+"u01"&startIndex=3&count=2`: {10, 3, 2, "u012"},
	} {
		answer, _ := c.do("GET", "/Users"+strings.ReplaceAll(query, `"`, "%22"), "", 200)
		assert.EqualValues(t, want.total, answer["totalResults"], query)
		assert.EqualValues(t, want.start, answer["startIndex"], query)
		assert.EqualValues(t, want.items, answer["itemsPerPage"], query)
		resources := answer["Resources"].([]any)
		require.Len(t, resources, want.items, query)
		if want.first != "" {
			assert.Equal(t, want.first, resources[0].(map[string]any)["userName"], query)
		}
	}
}

func TestProjection(t *testing.T) {
	c := serve(t, scimtest.Options{})
	id := c.make("/Users", `{`+user+`,"userName":"anna","title":"x","name":{"givenName":"Anna","familyName":"Smith"}}`)
	keys := func(query string) map[string]any {
		t.Helper()
		answer, _ := c.do("GET", "/Users/"+id+query, "", 200)
		delete(answer, "schemas")
		delete(answer, "id")
		return answer
	}
	assert.Equal(t, map[string]any{"userName": "anna"}, keys("?attributes=USERNAME"))
	assert.Equal(t, map[string]any{"name": map[string]any{"givenName": "Anna"}}, keys("?attributes=name.givenName"))
	assert.Equal(t, map[string]any{"userName": "anna", "active": true, "name": map[string]any{"familyName": "Smith"}},
		keys("?excludedAttributes=title,%20meta,name.givenName"))
}

func TestVersions(t *testing.T) {
	c := serve(t, scimtest.Options{})
	id := c.make("/Users", `{`+user+`,"userName":"anna"}`)
	_, header := c.do("GET", "/Users/"+id, "", 200)
	first := header.Get("ETag")
	c.do("GET", "/Users/"+id, "", 304, "If-None-Match", first)
	_, header = c.do("PATCH", "/Users/"+id, fmt.Sprintf(patch, `{"op":"add","path":"title","value":"x"}`), 200, "If-Match", first)
	assert.NotEqual(t, first, header.Get("ETag"))
	for method, body := range map[string]string{
		"PATCH": fmt.Sprintf(patch, `{"op":"remove","path":"title"}`), "PUT": `{` + user + `,"userName":"x"}`, "DELETE": "",
	} {
		c.do(method, "/Users/"+id, body, 412, "If-Match", first)
	}
	c.do("DELETE", "/Users/"+id, "", 204, "If-Match", header.Get("ETag"))
}

func TestGroups(t *testing.T) {
	c := serve(t, scimtest.Options{Groups: []string{"everyone", "everyone"}})
	anna, bob := c.make("/Users", `{`+user+`,"userName":"anna"}`), c.make("/Users", `{`+user+`,"userName":"bob"}`)
	id := c.make("/Groups", fmt.Sprintf(`{%s,"displayName":"staff","members":[{"value":%q}]}`, group, anna))
	members := func() (names []string) {
		t.Helper()
		answer, _ := c.do("GET", "/Groups/"+id, "", 200)
		list, _ := answer["members"].([]any)
		for _, item := range list {
			names = append(names, item.(map[string]any)["display"].(string))
		}
		return names
	}
	change := func(operations string, status int) {
		t.Helper()
		c.do("PATCH", "/Groups/"+id, fmt.Sprintf(patch, operations), status)
	}
	assert.Equal(t, []string{"anna"}, members())
	answer, _ := c.do("GET", "/Users/"+anna, "", 200)
	assert.Equal(t, []any{map[string]any{"value": id, "display": "staff", "type": "direct", "$ref": c.url + "/scim/v2/Groups/" + id}}, answer["groups"])

	change(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q},{"value":%q}]}`, bob, anna), 204)
	assert.Equal(t, []string{"anna", "bob"}, members())
	change(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, anna), 204)
	change(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, anna), 204) // again
	assert.Equal(t, []string{"bob"}, members())
	change(fmt.Sprintf(`{"op":"replace","value":{"displayName":"crew","members":[{"value":%q}]}}`, anna), 204)
	assert.Equal(t, []string{"anna"}, members())
	change(fmt.Sprintf(`{"op":"add","path":"members","value":{"value":%q}},{"op":"remove","path":"members[display sw \"an\"]"}`, bob), 204)
	assert.Equal(t, []string{"bob"}, members())

	// A PATCH is applied as a whole or not at all.
	for _, last := range []string{
		`{"op":"add","path":"members","value":[{"value":"nobody"}]}`, `{"op":"replace","path":"displayName","value":7}`,
		`{"op":"replace","path":"members[value eq \"x\"].display","value":"x"}`, `{"op":"remove","path":"displayName"}`, `{"op":"Add"}`,
	} {
		change(fmt.Sprintf(`{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":%q}]},%s`, anna, last), 400)
		assert.Equal(t, []string{"bob"}, members(), last)
	}

	c.do("PUT", "/Groups/"+id, fmt.Sprintf(`{%s,"displayName":"crew","members":[{"value":%q},{"value":%q}]}`, group, bob, anna), 200)
	assert.Equal(t, []string{"bob", "anna"}, members())
	c.do("DELETE", "/Users/"+bob, "", 204)
	assert.Equal(t, []string{"anna"}, members(), "a deleted user is in no group")
	change(`{"op":"remove","path":"members"}`, 204)
	assert.Empty(t, members())
	change(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, anna), 204)
	c.do("DELETE", "/Groups/"+id, "", 204)
	answer, _ = c.do("GET", "/Users/"+anna, "", 200)
	assert.NotContains(t, answer, "groups", "nobody is in a deleted group")

	list, _ := c.do("GET", "/Groups", "", 200)
	assert.EqualValues(t, 1, list["totalResults"], "Options.Groups makes each once")
}

func TestDiscovery(t *testing.T) {
	c := serve(t, scimtest.Options{})
	config, _ := c.do("GET", "/ServiceProviderConfig", "", 200)
	assert.Equal(t, map[string]any{"supported": true}, config["patch"])
	for path, count := range map[string]int{"/ResourceTypes": 2, "/Schemas": 3} {
		list, _ := c.do("GET", path, "", 200)
		resources := list["Resources"].([]any)
		require.Len(t, resources, count)
		for _, resource := range resources {
			id := resource.(map[string]any)["id"].(string)
			one, _ := c.do("GET", path+"/"+id, "", 200)
			assert.Equal(t, resource, one)
		}
		c.fails("GET", path+"/nothing", "", 404, "")
	}
	schema, _ := c.do("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", 200)
	first := schema["attributes"].([]any)[0].(map[string]any)
	assert.Equal(t, map[string]any{
		"name": "userName", "type": "string", "multiValued": false, "required": true, "caseExact": false,
		"mutability": "readWrite", "returned": "default", "uniqueness": "server",
	}, first)
}
