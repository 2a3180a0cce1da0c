package scim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// every returns a value for each attribute that the package documents.
func every() map[string]any {
	return map[string]any{
		"displayName": "Anna Smith", "nickName": "Annie", "title": "Engineer", "userType": "employee",
		"profileUrl": "https://people.example.com/anna", "preferredLanguage": "de", "locale": "de-DE", "timezone": "Europe/Berlin",
		"name.formatted": "Dr Anna M Smith", "name.givenName": "Anna", "name.middleName": "M", "name.familyName": "Smith",
		"name.honorificPrefix": "Dr", "name.honorificSuffix": "III",
		"emails": "anna@example.com", "phoneNumbers": "+49 30 1",
		"employeeNumber": "10004", "costCenter": "4711", "organization": "Example", "division": "R&D", "department": "Development",
		"manager": "account-of-the-manager",
	}
}

func TestEveryAttribute(t *testing.T) {
	_, url := serve(t)
	c := open(t, connector.Settings{"url": url, "token": token})
	update := func(id string, attributes map[string]any) {
		t.Helper()
		require.NoError(t, c.Update(t.Context(), id, attributes))
	}
	attributes := func(id string) map[string]any {
		t.Helper()
		account, err := c.Read(t.Context(), id)
		require.NoError(t, err)
		return account.Attributes
	}

	whole, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "whole", Active: true, Attributes: every()})
	require.NoError(t, err)
	assert.Equal(t, every(), whole.Attributes, "when created")

	bare, err := c.Create(t.Context(), connector.Spec{PersonID: "2", Username: "bare", Active: true})
	require.NoError(t, err)
	assert.Empty(t, bare.Attributes)
	so := map[string]any{}
	for name, value := range every() {
		update(bare.ID, map[string]any{name: value})
		so[name] = value
		assert.Equal(t, so, attributes(bare.ID), "after setting %s alone", name)
	}
	for name := range every() {
		update(bare.ID, map[string]any{name: ""})
		delete(so, name)
		assert.Equal(t, so, attributes(bare.ID), "after clearing %s alone", name)
	}
	update(bare.ID, every())
	assert.Equal(t, every(), attributes(bare.ID), "all at once")
	update(bare.ID, map[string]any{"employeeNumber": int64(7), "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division": "Ops", "emails": []string{}})
	so = every()
	so["employeeNumber"], so["division"] = "7", "Ops"
	delete(so, "emails")
	assert.Equal(t, so, attributes(bare.ID))
}

func TestListsKeepTheirOtherValues(t *testing.T) {
	_, url := serve(t)
	c := open(t, connector.Settings{"url": url, "token": token})
	made, err := c.Create(t.Context(), connector.Spec{Username: "anna", Active: true})
	require.NoError(t, err)
	raw(t, "PATCH", url+"/Users/"+made.ID, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"add","path":"emails","value":[{"value":"private@example.org","type":"home","primary":true},{"value":"old@example.com","type":"work","display":"old"}]}]}`)

	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"emails": "new@example.com"}))
	assert.JSONEq(t, `[{"value":"private@example.org","type":"home"},{"value":"new@example.com","type":"work","primary":true}]`,
		emails(t, url, made.ID))
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"emails": ""}))
	assert.JSONEq(t, `[{"value":"private@example.org","type":"home"}]`, emails(t, url, made.ID))
}

func emails(t *testing.T, url, id string) string {
	t.Helper()
	var user struct {
		Emails json.RawMessage `json:"emails"`
	}
	require.NoError(t, json.Unmarshal(raw(t, "GET", url+"/Users/"+id, ""), &user))
	return string(user.Emails)
}

// raw makes a request without the connector, as the app's administrator might.
func raw(t *testing.T, method, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, answer.String())
	return answer.Bytes()
}

func TestAttributesThatWillNotDo(t *testing.T) {
	app, url := serve(t)
	c := open(t, connector.Settings{"url": url, "token": token})
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	for name, test := range map[string]struct {
		attributes map[string]any
		want       string
	}{
		"unknown":        {map[string]any{"titel": "smith"}, `attribute "titel" is not known: use one of costCenter, department`},
		"reserved":       {map[string]any{"userName": "smith"}, `attribute "userName" is not known`},
		"core by schema": {map[string]any{"urn:ietf:params:scim:schemas:core:2.0:User:title": "smith"}, "is not known"},
		"not enterprise": {map[string]any{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:title": "smith"}, "is not known"},
		"a bool":         {map[string]any{"title": true}, `attribute "title" takes text, not true or false`},
		"a list":         {map[string]any{"title": []string{"smith", "b"}}, `attribute "title" takes one text, not a list`},
		"another type":   {map[string]any{"title": 1.5}, `attribute "title" must be a string, bool, int64 or list of strings, not float64`},
	} {
		t.Run(name, func(t *testing.T) {
			failed := failure(t, c.Update(t.Context(), id, test.attributes))
			assert.Equal(t, connector.KindInvalid, failed.Kind)
			assert.Contains(t, failed.Message, test.want)
			_, err := c.Create(t.Context(), connector.Spec{Username: "bob", Attributes: test.attributes})
			assert.Contains(t, failure(t, err).Message, test.want)
		})
	}
	assert.Len(t, app.Users(), 1)
}

// Attributes of extension schemas are sent and read as they are.
func TestOtherExtensions(t *testing.T) {
	const badge = "urn:example:acme:2.0:User:badge"
	var sent map[string]any
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = w.Write([]byte(`{"id":"1","userName":"a","groups":[{"value":"g","display":"staff"}],"urn:example:acme:2.0:User":
			{"badge":7,"vip":true,"tags":["a","b"],"desk":{"floor":1},"mixed":[1],"ratio":0.5,"none":""}}`))
	})
	account, err := c.Read(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		badge: int64(7), "urn:example:acme:2.0:User:vip": true,
		"urn:example:acme:2.0:User:tags": []string{"a", "b"}, "urn:example:acme:2.0:User:ratio": "0.5",
	}, account.Attributes)

	require.NoError(t, c.Update(t.Context(), "1", map[string]any{
		badge: int64(8), "urn:example:acme:2.0:User:vip": false, "urn:example:acme:2.0:User:tags": []string{"c"},
	}))
	assert.Equal(t, []any{
		map[string]any{"op": "replace", "path": badge, "value": 8.0},
		map[string]any{"op": "replace", "path": "urn:example:acme:2.0:User:tags", "value": []any{"c"}},
		map[string]any{"op": "replace", "path": "urn:example:acme:2.0:User:vip", "value": false},
	}, sent["Operations"])
}
