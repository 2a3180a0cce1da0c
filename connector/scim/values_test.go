package scim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// A number counts as the text of its digits.
func TestNumericIDs(t *testing.T) {
	c := answering(t, http.StatusOK, nil, `{"id":17,"userName":"anna","externalId":4711,"active":true,"groups":[{"value":3,"display":"staff"}]}`)
	account, err := c.Read(t.Context(), "17")
	require.NoError(t, err)
	assert.Equal(t, connector.Account{
		ID: "17", Username: "anna", ExternalID: "4711", Active: true, Attributes: map[string]any{}, Entitlements: []string{"staff"},
	}, account)
}

// If a service keeps no types, the new address replaces the old one.
func TestAMultiValuedAttributeWithoutTypesIsReplaced(t *testing.T) {
	for name, forget := range map[string][]string{"types": {"type"}, "types and primary": {"type", "primary"}} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t)
			server := httptest.NewServer(rewritten(t, app, func(_ *http.Request, answer map[string]any) {
				eachResource(answer, func(r map[string]any) {
					complexValues(r, "emails", func(v map[string]any) {
						for _, f := range forget {
							delete(v, f)
						}
					})
				})
			}))
			t.Cleanup(server.Close)
			c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
			made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "mia", Active: true, Attributes: map[string]any{"emails": "mia@old.example"}})
			require.NoError(t, err)
			for _, address := range []string{"mia@new.example", "mia@newer.example"} {
				require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"emails": address}))
				account, err := c.Read(t.Context(), made.ID)
				require.NoError(t, err)
				assert.Equal(t, address, account.Attributes["emails"])
			}
			request, err := http.NewRequest(http.MethodGet, server.URL+scimtest.BasePath+"/Users/"+made.ID, http.NoBody)
			require.NoError(t, err)
			request.Header.Set("Authorization", "Bearer "+token)
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer answer.Body.Close()
			var user struct{ Emails []any }
			require.NoError(t, json.NewDecoder(answer.Body).Decode(&user))
			assert.Len(t, user.Emails, 1)
		})
	}
}

// Tenure also replaces its own address if a service shows it with another type.
func TestAnAddressOfAnotherTypeIsReplaced(t *testing.T) {
	app, _ := serve(t)
	server := httptest.NewServer(rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		eachResource(answer, func(r map[string]any) {
			complexValues(r, "emails", func(v map[string]any) { v["type"] = "Other" })
		})
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "mia", Active: true, Attributes: map[string]any{"emails": "mia@old.example"}})
	require.NoError(t, err)
	assert.Equal(t, "mia@old.example", made.Attributes["emails"])
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"emails": "mia@new.example"}))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, "mia@new.example", account.Attributes["emails"])
}

// If a service refuses some of several attributes, the error names those, and the others are
// set.
func TestARefusedAttributeIsNamedAndTheOthersAreSet(t *testing.T) {
	for form, hint := range map[string]string{"path": "try changeUsers: object, or put", "object": "try changeUsers: put"} {
		app, _ := serve(t)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			if r.Method == http.MethodPatch && strings.Contains(string(body), "costCenter") {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			app.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "changeUsers": form})
		id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
		err := c.Update(t.Context(), id, map[string]any{"title": "Boss", "costCenter": "12", "displayName": "Anna"})
		failed := failure(t, err)
		assert.Equal(t, connector.KindInvalid, failed.Kind)
		assert.Contains(t, failed.Message, `attribute "costCenter": the app answered 400`)
		assert.Contains(t, failed.Message, hint)
		assert.Equal(t, "Boss", app.Users()[0].Title)
		assert.Equal(t, "Anna", app.Users()[0].DisplayName)
	}
}

// An error names the attribute, the key or the limit that it is about, and repeats nothing that
// could be personal data.
func TestErrorsNameWhatIsMeant(t *testing.T) {
	body := func(scimType, detail string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"` + scimType + `","detail":"` + detail + `"}`
	}
	create := func(c connector.Connector) error {
		_, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "eve", Active: true})
		return err
	}
	for name, c := range map[string]struct {
		answer string
		call   func(connector.Connector) error
		want   string
	}{
		"a mandatory attribute": {body("invalidValue", "Attribute emails is required for eve@example.com"), create,
			`the app requires the attribute "emails": map it in the app's attributes`},
		"an attribute that is refused": {body("invalidValue", "the attribute title of eve@example.com is too long"), create,
			`the app refused the attribute "title": check its mapping`},
		"a username that is refused": {body("invalidValue", "userName eve@example.com is too long"), create,
			`the app refused the attribute "userName": if it takes shorter ones only, say so by person.usernameMaxLength`},
		"a key": {body("invalidFilter", "no"), func(c connector.Connector) error {
			_, err := c.Find(t.Context(), connector.Keys{PersonID: "eve@example.com"})
			return err
		}, "the app cannot look up by externalId"},
		"a limit of a look-up": {body("tooMany", "no"), func(c connector.Connector) error {
			_, err := c.Find(t.Context(), connector.Keys{Username: "eve@example.com"})
			return err
		}, "the look-up by userName finds more than the app is willing to return"},
		"a limit of a list": {body("tooMany", "no"), func(c connector.Connector) error {
			for _, err := range c.List(t.Context()) {
				return err
			}
			return nil
		}, "lower the pageSize setting"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call(answering(t, http.StatusBadRequest, nil, c.answer))
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "eve")
		})
	}
}
