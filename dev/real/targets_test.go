//go:build real

package real

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// companySize returns how many people the company begins with: TENURE_REAL_COMPANY, or
// else as many as SCIMMY, which works on one request at a time, can take within some
// minutes.
func companySize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TENURE_REAL_COMPANY")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "TENURE_REAL_COMPANY")
	return n
}

// runTool runs a program with further environment variables and an input, and returns
// what it prints.
func runTool(t *testing.T, env []string, input, name string, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(input), &out, &said
	require.NoError(t, cmd.Run(), "%s: %s", name, said.String())
	return out.String()
}

func toJSON(t *testing.T, settings map[string]any) string {
	t.Helper()
	text, err := json.Marshal(settings)
	require.NoError(t, err)
	return string(text)
}

// ldapServer is a directory that is read with OpenLDAP's programs.
type ldapServer struct {
	title, url, ca   string
	admin, password  string
	people, personID string
	attributes       []string
	enabled          func(entry map[string][]string) bool
	prefix, set      string
}

func (s ldapServer) name() string     { return s.title }
func (s ldapServer) settings() string { return s.set }
func (s ldapServer) has(string) bool  { return true }

// tool runs one of OpenLDAP's programs as the administrator.
func (s ldapServer) tool(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	return runTool(t, []string{"LDAPTLS_CACERT=" + s.ca}, input, name,
		append([]string{"-x", "-H", s.url, "-D", s.admin, "-w", s.password}, args...)...)
}

func (s ldapServer) look(t *testing.T) map[string]account {
	t.Helper()
	args := []string{"-LLL", "-o", "ldif-wrap=no", "-E", "pr=500/noprompt", "-b", s.people, "(" + s.personID + "=*)", s.personID, "title", "memberOf"}
	all := map[string]account{}
	for _, entry := range entries(t, s.tool(t, "", "ldapsearch", append(args, s.attributes...)...)) {
		var names []string
		for _, dn := range entry["memberOf"] {
			first, _, _ := strings.Cut(dn, ",")
			_, name, _ := strings.Cut(first, "=")
			names = append(names, name)
		}
		person := entry[s.personID][0]
		require.NotContains(t, all, person, "%s: somebody has two accounts", s.title)
		all[person] = account{Enabled: s.enabled(entry), Title: strings.Join(entry["title"], "+"), Groups: bare(s.prefix, names)}
	}
	return all
}

// entries reads LDIF (RFC 2849) without wrapped lines.
func entries(t *testing.T, ldif string) []map[string][]string {
	t.Helper()
	var all []map[string][]string
	for block := range strings.SplitSeq(ldif, "\n\n") {
		entry := map[string][]string{}
		for line := range strings.Lines(block) {
			name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
			if !ok || name == "" || strings.HasPrefix(name, "#") {
				continue
			}
			if encoded, is := strings.CutPrefix(value, ":"); is {
				text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
				require.NoError(t, err)
				value = string(text)
			}
			entry[name] = append(entry[name], strings.TrimSpace(value))
		}
		if len(entry) > 1 { // a smaller one is the end of a page, or a referral
			all = append(all, entry)
		}
	}
	return all
}

// newOpenLDAP makes an OU and groups for this run.
func newOpenLDAP(t *testing.T, prefix string) ldapServer {
	t.Helper()
	const suffix = "dc=whole" // this suffix maintains memberOf
	s := ldapServer{
		title: "OpenLDAP", url: fromEnv(t, "TENURE_REAL_LDAP_URL"), ca: fromEnv(t, "TENURE_REAL_LDAP_CA"),
		admin: "cn=admin," + suffix, password: fromEnv(t, "TENURE_REAL_LDAP_PASSWORD"),
		people: "ou=" + prefix + "company,ou=people," + suffix, personID: "employeeNumber",
		attributes: []string{"pwdAccountLockedTime"}, prefix: prefix,
		enabled: func(entry map[string][]string) bool { return len(entry["pwdAccountLockedTime"]) == 0 },
	}
	ldif := "dn: " + s.people + "\nobjectClass: organizationalUnit\nou: " + prefix + "company\n\n"
	for _, group := range groupNames {
		dn := "cn=" + prefix + group + ",ou=groups," + suffix
		ldif += "dn: " + dn + "\nobjectClass: groupOfNames\ncn: " + prefix + group + "\nmember: " + dn + "\n\n"
	}
	s.tool(t, ldif, "ldapadd")
	s.set = toJSON(t, map[string]any{
		"url": s.url, "bindDN": "cn=tenure," + suffix, "password": s.password, "people": s.people, "groups": "ou=groups," + suffix,
	})
	return s
}

// newSamba makes an OU and groups for this run in the Active Directory domain.
func newSamba(t *testing.T, prefix string) ldapServer {
	t.Helper()
	const disabled = 2 // the bit of userAccountControl
	s := ldapServer{
		title: "Samba AD", url: fromEnv(t, "TENURE_REAL_AD_URL"), ca: fromEnv(t, "TENURE_REAL_AD_CA"),
		admin: fromEnv(t, "TENURE_REAL_AD_ADMIN"), password: fromEnv(t, "TENURE_REAL_AD_PASSWORD"),
		people: "OU=" + prefix + "company," + fromEnv(t, "TENURE_REAL_AD_DN"), personID: "employeeID",
		attributes: []string{"userAccountControl"}, prefix: prefix,
		enabled: func(entry map[string][]string) bool {
			control, err := strconv.Atoi(entry["userAccountControl"][0])
			require.NoError(t, err)
			return control&disabled == 0
		},
	}
	ldif := "dn: " + s.people + "\nobjectClass: organizationalUnit\n\n"
	for _, group := range groupNames {
		ldif += "dn: CN=" + prefix + group + "," + s.people + "\nobjectClass: group\nsAMAccountName: " + prefix + group + "\n\n"
	}
	s.tool(t, ldif, "ldapadd")
	s.set = toJSON(t, map[string]any{
		"url": s.url, "ca": s.ca, "bindDN": s.admin, "password": s.password, "people": s.people, "groups": s.people,
	})
	return s
}

// postgreSQL is a cluster that is read with psql.
type postgreSQL struct{ url, set, prefix string }

func (s postgreSQL) name() string     { return "PostgreSQL" }
func (s postgreSQL) settings() string { return s.set }
func (s postgreSQL) has(string) bool  { return true }

func (s postgreSQL) psql(t *testing.T, sql string) string {
	t.Helper()
	return runTool(t, nil, "", "psql", s.url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1e", "-c", sql)
}

// newPostgreSQL makes a role for Tenure, and group roles.
func newPostgreSQL(t *testing.T, prefix string) postgreSQL {
	t.Helper()
	s := postgreSQL{url: fromEnv(t, "TENURE_REAL_POSTGRES_URL"), prefix: prefix}
	role := prefix + "tenure"
	s.psql(t, fmt.Sprintf("CREATE ROLE %s LOGIN CREATEROLE PASSWORD 'four-apps'", role))
	s.psql(t, "GRANT pg_signal_backend TO "+role)
	for _, group := range groupNames {
		s.psql(t, "CREATE ROLE "+prefix+group)
	}
	address, err := url.Parse(s.url)
	require.NoError(t, err)
	s.set = toJSON(t, map[string]any{
		"url": "postgres://" + role + "@" + address.Host + address.Path + "?sslmode=disable", "password": "four-apps",
		"grantable": []string{prefix + "*"},
	})
	return s
}

func (s postgreSQL) look(t *testing.T) map[string]account {
	t.Helper()
	out := s.psql(t, `SELECT coalesce(shobj_description(r.oid, 'pg_authid'), ''), r.rolcanlogin,
			coalesce(string_agg(g.rolname, ','), '')
		FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid LEFT JOIN pg_roles g ON g.oid = m.roleid
		WHERE shobj_description(r.oid, 'pg_authid') LIKE '%tenure:%' GROUP BY r.oid, r.rolcanlogin`)
	all := map[string]account{}
	for row := range strings.SplitSeq(out, "\x1e") {
		fields := strings.Split(strings.Trim(row, "\n"), "\x1f")
		if len(fields) != 3 {
			continue
		}
		lines := strings.Split(fields[0], "\n")
		person := strings.TrimPrefix(lines[len(lines)-1], "tenure:")
		require.NotContains(t, all, person, "PostgreSQL: somebody has two accounts")
		all[person] = account{
			Enabled: fields[1] == "t", Title: strings.Join(lines[:len(lines)-1], "\n"), Groups: bare(s.prefix, strings.Split(fields[2], ",")),
		}
	}
	return all
}

// scimmy reads SCIMMY by plain HTTP.
type scimmy struct {
	*app
	prefix string
}

func (s scimmy) name() string          { return "SCIMMY" }
func (s scimmy) has(group string) bool { return group != "everyone" }

func (s scimmy) settings() string {
	return fmt.Sprintf(`{url: %q, token: %q, createGroups: true}`, s.proxied, s.token)
}

func (s scimmy) look(t *testing.T) map[string]account {
	t.Helper()
	now := s.app.look(t)
	in := map[string][]string{}
	for _, g := range now.Groups {
		for _, m := range g.Members {
			in[m.Value] = append(in[m.Value], g.DisplayName)
		}
	}
	all := map[string]account{}
	for _, u := range now.Users {
		require.NotContains(t, all, u.ExternalID, "SCIMMY: somebody has two accounts")
		all[u.ExternalID] = account{Enabled: u.Active, Title: u.Title, Groups: bare(s.prefix, in[u.ID])}
	}
	return all
}
