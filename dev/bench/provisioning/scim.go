package provisioning

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// scim is a SCIM service. What is asked here is plain HTTP.
type scim struct {
	TargetOptions
	at     *url.URL
	client *http.Client
}

func newSCIM(at *url.URL, config *tls.Config, o TargetOptions) *scim {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	return &scim{o, at, &http.Client{Transport: transport, Timeout: time.Minute}}
}

func (s *scim) close() { s.client.CloseIdleConnections() }

// call makes one request.
func (s *scim) call(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.at.String()+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/scim+json")
	if body != nil {
		request.Header.Set("Content-Type", "application/scim+json")
	}
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	} else if s.User != "" {
		request.SetBasicAuth(s.User, s.Password)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	said, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, said)
	case into == nil:
		return nil
	}
	return json.Unmarshal(said, into)
}

// all reads a collection page by page.
func all[T any](ctx context.Context, s *scim, collection string) (all []T, err error) {
	for {
		var page struct {
			TotalResults int `json:"totalResults"`
			Resources    []T `json:"Resources"`
		}
		query := url.Values{"count": {"200"}, "startIndex": {fmt.Sprint(len(all) + 1)}}
		if err := s.call(ctx, http.MethodGet, "/"+collection+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Resources...); len(page.Resources) == 0 || len(all) >= page.TotalResults {
			return all, nil
		}
	}
}

type scimUser struct {
	ID          string `json:"id"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	Active      bool   `json:"active"`
	Title       string `json:"title"`
	Name        struct {
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Emails []struct {
		Value string `json:"value"`
	} `json:"emails"`
	Enterprise struct {
		Department string `json:"department"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

type scimGroup struct {
	ID          string `json:"id,omitempty"`
	DisplayName string `json:"displayName"`
	Members     []struct {
		Value string `json:"value"`
	} `json:"members,omitempty"`
}

func (s *scim) accounts(ctx context.Context) (map[string]Account, error) {
	groups, err := all[scimGroup](ctx, s, "Groups")
	if err != nil {
		return nil, err
	}
	in := map[string][]string{}
	for _, g := range groups {
		for _, m := range g.Members {
			in[m.Value] = append(in[m.Value], g.DisplayName)
		}
	}
	users, err := all[scimUser](ctx, s, "Users")
	if err != nil {
		return nil, err
	}
	found := map[string]Account{}
	for _, u := range users {
		a := Account{Username: u.UserName, Active: u.Active, Groups: in[u.ID], id: u.ID, Values: map[string]string{
			"givenName": u.Name.GivenName, "familyName": u.Name.FamilyName, "displayName": u.DisplayName, "title": u.Title, "department": u.Enterprise.Department,
		}}
		if len(u.Emails) > 0 {
			a.Values["email"] = u.Emails[0].Value
		}
		slices.Sort(a.Groups)
		found[u.UserName] = a
	}
	return found, nil
}

func (s *scim) found(ctx context.Context, groups []string) error {
	there, err := all[scimGroup](ctx, s, "Groups")
	if err != nil {
		return err
	}
	for _, name := range groups {
		if slices.ContainsFunc(there, func(g scimGroup) bool { return g.DisplayName == name }) {
			continue
		}
		group := map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name}
		if err := s.call(ctx, http.MethodPost, "/Groups", group, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *scim) remove(ctx context.Context, a Account) error {
	return s.call(ctx, http.MethodDelete, "/Users/"+url.PathEscape(a.id), nil, nil)
}

func (s *scim) proxy(ctx context.Context, address string, count *Counter) (string, func(), error) {
	at, stop, err := proxyHTTP(ctx, address, s.at, s.client.Transport.(*http.Transport).TLSClientConfig, count)
	return "http://" + at + s.at.Path, stop, err
}

func (s *scim) app(at string) app {
	a := app{kind: "scim", settings: map[string]any{"url": at}, attributes: s.attributesOf(map[string]string{
		"givenName": "name.givenName", "familyName": "name.familyName", "displayName": "displayName", "email": "emails", "title": "title", "department": "department",
	})}
	switch {
	case s.Token != "":
		a.secretIs, a.secret = "token", s.Token
	case s.User != "":
		a.settings["username"] = s.User
		a.secretIs, a.secret = "password", s.Password
	}
	return a
}
