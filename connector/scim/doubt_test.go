package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// An answer with a total above zero and no resources proves nothing.
func TestAnAnswerThatContradictsItselfIsNoProof(t *testing.T) {
	c := answering(t, http.StatusOK, nil, `{"totalResults":1,"Resources":[]}`)
	_, err := c.Find(t.Context(), connector.Keys{PersonID: "1", Username: "anna"})
	assert.Contains(t, failure(t, err).Message, "contradicts itself")
}

// An account without "active" does not count as inactive only because inactive ones come
// without it.
func TestAnAccountThatIsNotSaidToBeActiveIsActive(t *testing.T) {
	app, _ := serve(t)
	var refuse atomic.Bool
	hidden := map[string]bool{}
	handler := rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		eachResource(answer, func(r map[string]any) {
			if r["active"] == false || hidden[r["id"].(string)] {
				delete(r, "active")
			}
		})
	})
	serveOdd := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && refuse.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler(w, r)
	}
	c := handlingAt(t, scimtest.BasePath, serveOdd)
	active := func(c connector.Connector, id string) bool {
		t.Helper()
		account, err := c.Read(t.Context(), id)
		require.NoError(t, err)
		return account.Active
	}
	toggle := c
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	silent := app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true})
	hidden[silent] = true
	require.NoError(t, toggle.Disable(t.Context(), silent))
	assert.True(t, active(c, silent), "nothing proves what it means")
	require.NoError(t, toggle.Disable(t.Context(), anna))
	assert.False(t, active(c, anna), "it showed that it was active before")
	assert.True(t, active(c, silent), "nor does another account")
	refuse.Store(true)
	require.Error(t, toggle.Disable(t.Context(), silent))
	assert.True(t, active(c, silent), "the app refused")
	refuse.Store(false)
	require.NoError(t, toggle.Disable(t.Context(), silent))
	assert.False(t, active(c, silent), "the app took it, and shows nothing where it is false")
	require.NoError(t, toggle.Enable(t.Context(), silent))
	assert.True(t, active(c, silent))

	server := httptest.NewServer(http.HandlerFunc(serveOdd))
	t.Cleanup(server.Close)
	told := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "showsInactive": false})
	assert.False(t, active(told, anna), "the setting says so")
}

// If the answer to Create leads to somebody else's account, that is not the new one.
func TestACreationThatLeadsElsewhereIsLookedFor(t *testing.T) {
	app, _ := serve(t)
	theirs := app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true})
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			app.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(httptest.NewRecorder(), r)
		w.Header().Set("Location", "/Users/"+theirs)
		w.WriteHeader(http.StatusCreated)
	})
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	assert.Equal(t, "anna", made.Username)
	assert.NotEqual(t, theirs, made.ID)
}

// If the new account cannot be read, Create returns its ID, and the error says why.
func TestACreationThatCannotBeReadTellsTheID(t *testing.T) {
	app, _ := serve(t)
	inGroup := strings.NewReplacer(`"userName"`, `"groups":[{"value":"g1"}],"userName"`)
	c := withoutReadingGroups(t, app, inGroup)
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	failed := failure(t, err)
	assert.Equal(t, connector.KindContradictory, failed.Kind)
	assert.Contains(t, failed.Message, "does not show it: the app answered 500")
	assert.NotEmpty(t, made.ID)
	require.NoError(t, c.Delete(t.Context(), made.ID))
	assert.Empty(t, app.Users())
}

// If a new account does not show its groups, Create does not ask for them: Read does.
func TestACreationAsksForNoGroups(t *testing.T) {
	app, _ := serve(t)
	c := withoutReadingGroups(t, app, strings.NewReplacer(`"groups"`, `"noGroups"`))
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	_, err = c.Read(t.Context(), made.ID)
	require.Error(t, err)
	account, err := c.Read(connector.SparingEntitlements(t.Context()), made.ID)
	require.NoError(t, err, "nor from seeing whether it is on")
	assert.True(t, account.Active)
}

// withoutReadingGroups returns a connector to a service that alters its answers about users,
// and fails for groups.
func withoutReadingGroups(t *testing.T, app http.Handler, about *strings.Replacer) connector.Connector {
	t.Helper()
	return handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/Groups") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		recorded := httptest.NewRecorder()
		app.ServeHTTP(recorded, r)
		w.WriteHeader(recorded.Code)
		_, _ = w.Write([]byte(about.Replace(recorded.Body.String())))
	})
}

// If an answer has an attribute twice with different values, the value is unknown, whatever
// their order.
func TestAnAttributeThatIsSaidTwice(t *testing.T) {
	for said, want := range map[string]struct {
		active bool
		kind   connector.ErrorKind
	}{
		`"active":true,"active":false`:  {kind: connector.KindContradictory},
		`"active":false,"active":true`:  {kind: connector.KindContradictory},
		`"active":true,"Active":false`:  {kind: connector.KindContradictory},
		`"ACTIVE":false,"Active":true`:  {kind: connector.KindContradictory},
		`"active":false,"Active":false`: {active: false},
		`"ACTIVE":true,"ACTIVE":true`:   {active: true},
		`"id":"2","active":false`:       {kind: connector.KindInvalid},
	} {
		c := handlingAt(t, "/scim", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/Users/1") {
				_, _ = fmt.Fprintf(w, `{"id":"1","userName":"anna","externalId":"1",%s}`, said)
				return
			}
			_, _ = w.Write([]byte(`{"totalResults":0,"Resources":[]}`))
		})
		account, err := c.Read(t.Context(), "1")
		if want.kind != "" {
			assert.Equal(t, want.kind, failure(t, err).Kind, said)
			continue
		}
		require.NoError(t, err, said)
		assert.Equal(t, want.active, account.Active, said)
	}
}
