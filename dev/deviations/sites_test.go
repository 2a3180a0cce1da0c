//go:build real

package deviations

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ldapSite is OpenLDAP, changed with ldapadd, ldapmodify and ldapdelete.
type ldapSite struct{ url, ca, password, people, prefix string }

func newOpenLDAP(t *testing.T, prefix string) ldapSite {
	t.Helper()
	s := ldapSite{
		url: fromEnv(t, "TENURE_REAL_LDAP_URL"), ca: fromEnv(t, "TENURE_REAL_LDAP_CA"), password: fromEnv(t, "TENURE_REAL_LDAP_PASSWORD"),
		people: "ou=" + prefix + "company,ou=people,dc=whole", prefix: prefix, // this suffix maintains memberOf
	}
	s.tool(t, "dn: "+s.people+"\nobjectClass: organizationalUnit\nou: "+prefix+"company\n", "ldapadd")
	return s
}

// tool runs one of OpenLDAP's programs as the administrator.
func (s ldapSite) tool(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	return runTool(t, []string{"LDAPTLS_CACERT=" + s.ca}, input, name,
		append([]string{"-x", "-H", s.url, "-D", "cn=admin,dc=whole", "-w", s.password}, args...)...)
}

func (s ldapSite) settings() string {
	return fmt.Sprintf(`{url: %q, bindDN: "cn=tenure,dc=whole", password: %q, people: %q, groups: "ou=groups,dc=whole"}`, s.url, s.password, s.people)
}

func (s ldapSite) app() string    { return "openldap" }
func (s ldapSite) titled() string { return "title" }
func (s ldapSite) mails() int     { return 2 }

func (s ldapSite) dn(username string) string { return "uid=" + username + "," + s.people }

func (s ldapSite) read(t *testing.T) map[string]held {
	t.Helper()
	all := map[string]held{}
	out := s.tool(t, "", "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=500/noprompt", "-b", s.people, "(objectClass=inetOrgPerson)",
		"uid", "employeeNumber", "title", "memberOf", "pwdAccountLockedTime")
	for _, entry := range entries(t, out) {
		var names []string
		for _, dn := range entry["memberOf"] {
			first, _, _ := strings.Cut(dn, ",")
			_, name, _ := strings.Cut(first, "=")
			names = append(names, name)
		}
		all[entry["uid"][0]] = held{
			Person: strings.Join(entry["employeeNumber"], "+"), Title: strings.Join(entry["title"], "+"), On: len(entry["pwdAccountLockedTime"]) == 0, Groups: bare(s.prefix, names),
		}
	}
	return all
}

func (s ldapSite) modify(t *testing.T, dn string, lines ...string) {
	t.Helper()
	s.tool(t, "dn: "+dn+"\nchangetype: modify\n"+strings.Join(lines, "\n")+"\n", "ldapmodify")
}

func (s ldapSite) turn(t *testing.T, username string, on bool) {
	t.Helper()
	if on {
		s.modify(t, s.dn(username), "delete: pwdAccountLockedTime")
	} else {
		s.modify(t, s.dn(username), "replace: pwdAccountLockedTime", "pwdAccountLockedTime: 000001010000Z")
	}
}

func (s ldapSite) remove(t *testing.T, username string) {
	t.Helper()
	s.tool(t, "", "ldapdelete", s.dn(username))
}

func (s ldapSite) retitle(t *testing.T, username, title string) {
	t.Helper()
	s.modify(t, s.dn(username), "replace: title", "title: "+title)
}

func (s ldapSite) put(t *testing.T, username, group string, in bool) {
	t.Helper()
	how := "delete"
	if in {
		how = "add"
	}
	s.modify(t, "cn="+s.prefix+group+",ou=groups,dc=whole", how+": member", "member: "+s.dn(username))
}

func (s ldapSite) found(t *testing.T, group string) {
	t.Helper()
	dn := "cn=" + s.prefix + group + ",ou=groups,dc=whole"
	s.tool(t, "dn: "+dn+"\nobjectClass: groupOfNames\ncn: "+s.prefix+group+"\nmember: "+dn+"\n", "ldapadd")
}

func (s ldapSite) create(t *testing.T, username, person string, on bool, mails ...string) {
	t.Helper()
	ldif := "dn: " + s.dn(username) + "\nobjectClass: inetOrgPerson\nuid: " + username + "\ncn: " + username + "\nsn: By Hand\n"
	if person != "" {
		ldif += "employeeNumber: " + person + "\n"
	}
	for _, mail := range mails {
		ldif += "mail: " + mail + "\n"
	}
	s.tool(t, ldif, "ldapadd")
	if !on {
		s.turn(t, username, false)
	}
}

// postgresSite is PostgreSQL, changed with psql.
type postgresSite struct{ url, prefix string }

func newPostgreSQL(t *testing.T, prefix string) postgresSite {
	t.Helper()
	s := postgresSite{fromEnv(t, "TENURE_REAL_POSTGRES_URL"), prefix}
	s.psql(t, fmt.Sprintf("CREATE ROLE %stenure LOGIN CREATEROLE PASSWORD 'deviations'", prefix))
	s.psql(t, "GRANT pg_signal_backend TO "+prefix+"tenure")
	return s
}

func (s postgresSite) settings() string {
	address, _ := url.Parse(s.url)
	return fmt.Sprintf(`{url: "postgres://%stenure@%s%s?sslmode=disable", password: deviations, grantable: ["%[1]s*"]}`, s.prefix, address.Host, address.Path)
}

func (s postgresSite) psql(t *testing.T, sql string) string {
	t.Helper()
	return runTool(t, nil, "", "psql", s.url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1e", "-c", sql)
}

func (s postgresSite) app() string    { return "postgresql" }
func (s postgresSite) titled() string { return "comment" }
func (s postgresSite) mails() int     { return 0 }

func (s postgresSite) read(t *testing.T) map[string]held {
	t.Helper()
	out := s.psql(t, `SELECT r.rolname, coalesce(shobj_description(r.oid, 'pg_authid'), ''), r.rolcanlogin, coalesce(string_agg(g.rolname, ','), '')
		FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid LEFT JOIN pg_roles g ON g.oid = m.roleid
		WHERE r.rolname !~ '^(pg_|postgres$|`+s.prefix+`)' GROUP BY r.oid, r.rolname, r.rolcanlogin`)
	all := map[string]held{}
	for row := range strings.SplitSeq(out, "\x1e") {
		fields := strings.Split(strings.Trim(row, "\n"), "\x1f")
		if len(fields) != 4 {
			continue
		}
		lines := strings.Split(fields[1], "\n")
		person, marked := strings.CutPrefix(lines[len(lines)-1], "tenure:")
		if marked {
			lines = lines[:len(lines)-1]
		} else {
			person = ""
		}
		all[fields[0]] = held{Person: person, Title: strings.Join(lines, "\n"), On: fields[2] == "t", Groups: bare(s.prefix, strings.Split(fields[3], ","))}
	}
	return all
}

func (s postgresSite) turn(t *testing.T, username string, on bool) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`ALTER ROLE %q %s`, username, login(on)))
}

func login(on bool) string {
	if on {
		return "LOGIN"
	}
	return "NOLOGIN"
}

func (s postgresSite) remove(t *testing.T, username string) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`DROP ROLE %q`, username))
}

func (s postgresSite) retitle(t *testing.T, username, title string) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`COMMENT ON ROLE %q IS E'%s\ntenure:%s'`, username, title, s.read(t)[username].Person))
}

func (s postgresSite) put(t *testing.T, username, group string, in bool) {
	t.Helper()
	if in {
		s.psql(t, fmt.Sprintf(`GRANT %q TO %q`, s.prefix+group, username))
	} else {
		s.psql(t, fmt.Sprintf(`REVOKE %q FROM %q`, s.prefix+group, username))
	}
}

func (s postgresSite) found(t *testing.T, group string) {
	t.Helper()
	s.psql(t, "CREATE ROLE "+s.prefix+group)
}

func (s postgresSite) create(t *testing.T, username, person string, on bool, _ ...string) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`CREATE ROLE %q %s`, username, login(on)))
	if person != "" {
		s.psql(t, fmt.Sprintf(`COMMENT ON ROLE %q IS 'tenure:%s'`, username, person))
	}
}

// scimSite is SCIMMY, changed with curl.
type scimSite struct{ url, token, prefix string }

func newSCIM(t *testing.T, prefix string) scimSite {
	t.Helper()
	return scimSite{fromEnv(t, "TENURE_REAL_SCIM_URL"), fromEnv(t, "TENURE_REAL_SCIM_TOKEN"), prefix}
}

func (s scimSite) settings() string { return fmt.Sprintf(`{url: %q, token: %q}`, s.url, s.token) }

func (s scimSite) found(t *testing.T, group string) {
	t.Helper()
	s.curl(t, "POST", "/Groups", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": %q}`, s.prefix+group))
}

func (s scimSite) app() string    { return "scimmy" }
func (s scimSite) titled() string { return "title" }
func (s scimSite) mails() int     { return 1 } // of the type work

func (s scimSite) curl(t *testing.T, method, path, body string) string {
	t.Helper()
	return runTool(t, nil, body, "curl", "-sS", "--fail-with-body", "-X", method, "-H", "Authorization: Bearer "+s.token,
		"-H", "Content-Type: application/scim+json", "--data-binary", "@-", s.url+path)
}

// resource is a user or a group.
type resource struct {
	ID          string `json:"id"`
	UserName    string `json:"userName"`
	ExternalID  string `json:"externalId"`
	Active      bool   `json:"active"`
	Title       string `json:"title"`
	DisplayName string `json:"displayName"`
	Members     []struct {
		Value string `json:"value"`
	} `json:"members"`
}

// all reads a whole collection, page by page.
func (s scimSite) all(t *testing.T, collection string) (all []resource) {
	t.Helper()
	for {
		var page struct {
			TotalResults int
			Resources    []resource
		}
		require.NoError(t, json.Unmarshal([]byte(s.curl(t, "GET", fmt.Sprintf("/%s?count=1000&startIndex=%d", collection, len(all)+1), "")), &page))
		if all = append(all, page.Resources...); len(page.Resources) == 0 || len(all) >= page.TotalResults {
			return all
		}
	}
}

func (s scimSite) patch(t *testing.T, path, operation string) {
	t.Helper()
	s.curl(t, "PATCH", path, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+operation+`]}`)
}

func (s scimSite) read(t *testing.T) map[string]held {
	t.Helper()
	in := map[string][]string{}
	for _, g := range s.all(t, "Groups") {
		for _, m := range g.Members {
			in[m.Value] = append(in[m.Value], g.DisplayName)
		}
	}
	all := map[string]held{}
	for _, u := range s.all(t, "Users") {
		all[u.UserName] = held{Person: u.ExternalID, Title: u.Title, On: u.Active, Groups: bare(s.prefix, in[u.ID])}
	}
	return all
}

// user and group return the paths of resources.
func (s scimSite) user(t *testing.T, username string) string {
	t.Helper()
	users := s.all(t, "Users")
	i := slices.IndexFunc(users, func(u resource) bool { return u.UserName == username })
	require.GreaterOrEqual(t, i, 0, username)
	return "/Users/" + users[i].ID
}

func (s scimSite) group(t *testing.T, name string) string {
	t.Helper()
	for _, g := range s.all(t, "Groups") {
		if g.DisplayName == s.prefix+name {
			return "/Groups/" + g.ID
		}
	}
	require.Fail(t, "there is no such group", name)
	return ""
}

func (s scimSite) turn(t *testing.T, username string, on bool) {
	t.Helper()
	s.patch(t, s.user(t, username), fmt.Sprintf(`{"op": "replace", "path": "active", "value": %t}`, on))
}

func (s scimSite) remove(t *testing.T, username string) {
	t.Helper()
	s.curl(t, "DELETE", s.user(t, username), "")
}

func (s scimSite) retitle(t *testing.T, username, title string) {
	t.Helper()
	s.patch(t, s.user(t, username), fmt.Sprintf(`{"op": "replace", "path": "title", "value": %q}`, title))
}

func (s scimSite) put(t *testing.T, username, group string, in bool) {
	t.Helper()
	id := strings.TrimPrefix(s.user(t, username), "/Users/")
	if in {
		s.patch(t, s.group(t, group), fmt.Sprintf(`{"op": "add", "path": "members", "value": [{"value": %q}]}`, id))
	} else {
		s.patch(t, s.group(t, group), fmt.Sprintf(`{"op": "remove", "path": "members[value eq \"%s\"]"}`, id))
	}
}

func (s scimSite) create(t *testing.T, username, person string, on bool, mails ...string) {
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
	s.curl(t, "POST", "/Users", body+"}")
}
