package topology

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Account is an account in an app, read without any code of the product.
type Account struct {
	Person   string // as the app has it; empty if it says none
	Username string
	Enabled  bool
	Title    string // empty where the app has none
	Manager  string // the person whose account is named as the manager's
	Groups   []string
}

// Accounts returns all accounts of an app, in no particular order, except those that
// came with the app.
func (t *Topology) Accounts(ctx context.Context, app string) ([]Account, error) {
	switch app {
	case AppDirectory:
		return t.lookAtDirectory()
	case AppWiki:
		return t.lookAtWiki(ctx)
	default:
		return t.lookAtDatabase(ctx)
	}
}

func (t *Topology) lookAtDirectory() ([]Account, error) {
	conn, err := t.dialDirectory()
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	search := func(base, filter string, attributes ...string) ([]*ldap.Entry, error) {
		answer, err := conn.SearchWithPaging(ldap.NewSearchRequest(base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil), 500)
		if err != nil {
			return nil, err
		}
		return answer.Entries, nil
	}
	people, err := search("ou=people,dc=plain", "(objectClass=inetOrgPerson)", "uid", "employeeNumber", "title", "pwdAccountLockedTime")
	if err != nil {
		return nil, err
	}
	groups, err := search("ou=groups,dc=plain", "(objectClass=groupOfNames)", "cn", "member")
	if err != nil {
		return nil, err
	}
	members := map[string][]string{}
	for _, g := range groups {
		for _, dn := range g.GetAttributeValues("member") {
			members[strings.ToLower(dn)] = append(members[strings.ToLower(dn)], g.GetAttributeValue("cn"))
		}
	}
	var accounts []Account
	for _, p := range people {
		mine := members[strings.ToLower(p.DN)]
		slices.Sort(mine)
		accounts = append(accounts, Account{
			Person: p.GetAttributeValue("employeeNumber"), Username: p.GetAttributeValue("uid"), Title: p.GetAttributeValue("title"),
			Enabled: p.GetAttributeValue("pwdAccountLockedTime") == "", Groups: mine,
		})
	}
	return accounts, nil
}

func (t *Topology) askWiki(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.wikiURL()+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+t.scimToken)
	answer, err := scimClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the wiki answers %s", answer.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

type scimUser struct {
	ID         string `json:"id"`
	UserName   string `json:"userName"`
	ExternalID string `json:"externalId"`
	Active     bool   `json:"active"`
	Title      string `json:"title"`
	Enterprise struct {
		Manager struct {
			Value string `json:"value"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

type scimGroup struct {
	DisplayName string `json:"displayName"`
	Members     []struct {
		Value string `json:"value"`
	} `json:"members"`
}

func (t *Topology) lookAtWiki(ctx context.Context) ([]Account, error) {
	users, err := readAll[scimUser](ctx, t, "Users")
	if err != nil {
		return nil, err
	}
	groups, err := readAll[scimGroup](ctx, t, "Groups")
	if err != nil {
		return nil, err
	}
	members, people := map[string][]string{}, map[string]string{}
	for _, g := range groups {
		for _, m := range g.Members {
			members[m.Value] = append(members[m.Value], g.DisplayName)
		}
	}
	for _, u := range users {
		people[u.ID] = u.ExternalID
	}
	var accounts []Account
	for _, u := range users {
		slices.Sort(members[u.ID])
		accounts = append(accounts, Account{
			Person: u.ExternalID, Username: u.UserName, Enabled: u.Active, Title: u.Title,
			Manager: people[u.Enterprise.Manager.Value], Groups: members[u.ID],
		})
	}
	return accounts, nil
}

// readAll reads a whole collection, page by page.
func readAll[T any](ctx context.Context, t *Topology, collection string) (all []T, err error) {
	for {
		var page struct {
			TotalResults int
			Resources    []T
		}
		if err := t.askWiki(ctx, fmt.Sprintf("/%s?count=200&startIndex=%d", collection, len(all)+1), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Resources...)
		if len(page.Resources) == 0 || len(all) >= page.TotalResults {
			return all, nil
		}
	}
}

func (t *Topology) lookAtDatabase(ctx context.Context) ([]Account, error) {
	conn, err := t.connect(ctx, AppDatabase)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, `
		SELECT r.rolname, r.rolcanlogin, coalesce(shobj_description(r.oid, 'pg_authid'), ''),
		       coalesce(array_agg(g.rolname::text ORDER BY g.rolname) FILTER (WHERE g.rolname IS NOT NULL), '{}')
		FROM pg_roles r
		LEFT JOIN pg_auth_members m ON m.member = r.oid
		LEFT JOIN pg_roles g ON g.oid = m.roleid
		WHERE r.rolname !~ '^(pg_|app_)' AND r.rolname NOT IN ('postgres', 'tenure')
		GROUP BY r.oid, r.rolname, r.rolcanlogin`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var accounts []Account
	for rows.Next() {
		var a Account
		var comment string
		if err := rows.Scan(&a.Username, &a.Enabled, &comment, &a.Groups); err != nil {
			return nil, err
		}
		for line := range strings.Lines(comment) {
			if person, ok := strings.CutPrefix(strings.TrimSpace(line), "tenure:"); ok {
				a.Person = person
			}
		}
		accounts = append(accounts, a)
	}
	return accounts, rows.Err()
}
