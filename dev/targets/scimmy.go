package targets

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// SCIMMY is a SCIM service, which is empty at first.
type SCIMMY struct {
	url, token, prefix string
	// Through is the address at which the product reaches it; empty: its own.
	Through string
}

// NewSCIMMY returns the service of this run.
func NewSCIMMY(t *testing.T, prefix string) SCIMMY {
	t.Helper()
	s := SCIMMY{url: fromEnv(t, "TENURE_REAL_SCIM_URL"), token: fromEnv(t, "TENURE_REAL_SCIM_TOKEN"), prefix: prefix}
	require.Empty(t, s.Users(t), "the service is to be empty at first")
	return s
}

// Name returns the server's name.
func (SCIMMY) Name() string { return "SCIMMY" }

// URL returns the service's own address.
func (s SCIMMY) URL() string { return s.url }

// Token returns the token that the service accepts.
func (s SCIMMY) Token() string { return s.token }

// Settings has the product use the same token.
func (s SCIMMY) Settings() string {
	at := s.url
	if s.Through != "" {
		at = s.Through
	}
	return asJSON(map[string]any{"url": at, "token": s.token})
}

// Found makes a group.
func (s SCIMMY) Found(t *testing.T, group string) {
	t.Helper()
	s.call(t, http.MethodPost, "/Groups", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": %q}`, s.prefix+group))
}

// call makes one request, and returns the answer.
func (s SCIMMY) call(t *testing.T, method, path, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, answer)
	return answer
}

// User is a user of SCIM.
type User struct {
	ID         string `json:"id"`
	UserName   string `json:"userName"`
	ExternalID string `json:"externalId"`
	Active     bool   `json:"active"`
	Title      string `json:"title"`
	Name       struct {
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Enterprise struct {
		Department string `json:"department"`
		Manager    struct {
			Value string `json:"value"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

// Group is a group of SCIM.
type Group struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Members     []struct {
		Value string `json:"value"`
	} `json:"members"`
}

// Users returns every user.
func (s SCIMMY) Users(t *testing.T) []User { return all[User](t, s, "Users", "") }

// Groups returns every group.
func (s SCIMMY) Groups(t *testing.T) []Group { return all[Group](t, s, "Groups", "") }

// all reads a collection, or what a filter leaves of it, page by page.
func all[T any](t *testing.T, s SCIMMY, collection, filter string) (all []T) {
	t.Helper()
	for {
		var page struct {
			TotalResults int
			Resources    []T
		}
		query := url.Values{"count": {"1000"}, "startIndex": {fmt.Sprint(len(all) + 1)}}
		if filter != "" {
			query.Set("filter", filter)
		}
		require.NoError(t, json.Unmarshal(s.call(t, http.MethodGet, "/"+collection+"?"+query.Encode(), ""), &page))
		if all = append(all, page.Resources...); len(page.Resources) == 0 || len(all) >= page.TotalResults {
			return all
		}
	}
}

// Accounts asks by plain HTTP.
func (s SCIMMY) Accounts(t *testing.T) map[string]Account {
	t.Helper()
	in := map[string][]string{}
	for _, g := range s.Groups(t) {
		for _, m := range g.Members {
			in[m.Value] = append(in[m.Value], g.DisplayName)
		}
	}
	accounts := map[string]Account{}
	for _, u := range s.Users(t) {
		accounts[u.UserName] = Account{Person: u.ExternalID, Title: u.Title, On: u.Active, Groups: bare(s.prefix, in[u.ID])}
	}
	return accounts
}

// Titled is title.
func (SCIMMY) Titled() string { return "title" }

// Mails is one of the type work.
func (SCIMMY) Mails() int { return 1 }

func (s SCIMMY) patch(t *testing.T, path, operation string) {
	t.Helper()
	s.call(t, http.MethodPatch, path, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+operation+`]}`)
}

// user and group return the paths of resources.
func (s SCIMMY) user(t *testing.T, username string) string {
	t.Helper()
	found := all[User](t, s, "Users", fmt.Sprintf("userName eq %q", username))
	require.Len(t, found, 1, username)
	return "/Users/" + found[0].ID
}

func (s SCIMMY) group(t *testing.T, name string) string {
	t.Helper()
	found := all[Group](t, s, "Groups", fmt.Sprintf("displayName eq %q", s.prefix+name))
	require.Len(t, found, 1, name)
	return "/Groups/" + found[0].ID
}

// Turn makes a user active, or not.
func (s SCIMMY) Turn(t *testing.T, username string, on bool) {
	t.Helper()
	s.patch(t, s.user(t, username), fmt.Sprintf(`{"op": "replace", "path": "active", "value": %t}`, on))
}

// Remove deletes a user.
func (s SCIMMY) Remove(t *testing.T, username string) {
	t.Helper()
	s.call(t, http.MethodDelete, s.user(t, username), "")
}

// Retitle gives a user another title.
func (s SCIMMY) Retitle(t *testing.T, username, title string) {
	t.Helper()
	s.patch(t, s.user(t, username), fmt.Sprintf(`{"op": "replace", "path": "title", "value": %q}`, title))
}

// Put puts a user into a group, or out of it.
func (s SCIMMY) Put(t *testing.T, username, group string, in bool) {
	t.Helper()
	id := strings.TrimPrefix(s.user(t, username), "/Users/")
	if in {
		s.patch(t, s.group(t, group), fmt.Sprintf(`{"op": "add", "path": "members", "value": [{"value": %q}]}`, id))
	} else {
		s.patch(t, s.group(t, group), fmt.Sprintf(`{"op": "remove", "path": "members[value eq \"%s\"]"}`, id))
	}
}

// Create makes a user.
func (s SCIMMY) Create(t *testing.T, username, person string, on bool, mails ...string) {
	t.Helper()
	body := fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": %q, "active": %t`, username, on)
	if person != "" {
		body += fmt.Sprintf(`, "externalId": %q`, person)
	}
	var emails []string
	for _, mail := range mails {
		emails = append(emails, fmt.Sprintf(`{"value": %q, "type": "work"}`, mail))
	}
	if len(emails) > 0 {
		body += `, "emails": [` + strings.Join(emails, ", ") + `]`
	}
	s.call(t, http.MethodPost, "/Users", body+"}")
}
