package targets

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// PostgreSQL is a cluster with a role for Tenure.
type PostgreSQL struct{ url, prefix string }

// NewPostgreSQL makes a role for Tenure.
func NewPostgreSQL(t *testing.T, prefix string) PostgreSQL {
	t.Helper()
	s := PostgreSQL{fromEnv(t, "TENURE_REAL_POSTGRES_URL"), prefix}
	s.psql(t, fmt.Sprintf("CREATE ROLE %stenure LOGIN CREATEROLE PASSWORD 'of-tenure'", prefix))
	s.psql(t, "GRANT pg_signal_backend TO "+prefix+"tenure")
	return s
}

// Name returns the server's name.
func (PostgreSQL) Name() string { return "PostgreSQL" }

// Settings has that role log in.
func (s PostgreSQL) Settings() string {
	address, _ := url.Parse(s.url)
	return asJSON(map[string]any{
		"url": "postgres://" + s.prefix + "tenure@" + address.Host + address.Path + "?sslmode=disable", "password": "of-tenure",
		"grantable": []string{s.prefix + "*"},
	})
}

func (s PostgreSQL) psql(t *testing.T, sql string) string {
	t.Helper()
	return runTool(t, nil, "", "psql", s.url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1e", "-c", sql)
}

// Found makes a role that others are members of.
func (s PostgreSQL) Found(t *testing.T, group string) {
	t.Helper()
	s.psql(t, "CREATE ROLE "+s.prefix+group)
}

// Accounts asks psql.
func (s PostgreSQL) Accounts(t *testing.T) map[string]Account {
	t.Helper()
	return s.accounts(t, `r.rolname !~ '^(pg_|postgres$|`+s.prefix+`)'`)
}

func (s PostgreSQL) accounts(t *testing.T, which string) map[string]Account {
	t.Helper()
	out := s.psql(t, `SELECT r.rolname, coalesce(shobj_description(r.oid, 'pg_authid'), ''), r.rolcanlogin, coalesce(string_agg(g.rolname, ','), '')
		FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid LEFT JOIN pg_roles g ON g.oid = m.roleid
		WHERE `+which+` GROUP BY r.oid, r.rolname, r.rolcanlogin`)
	all := map[string]Account{}
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
		all[fields[0]] = Account{Person: person, Title: strings.Join(lines, "\n"), On: fields[2] == "t", Groups: bare(s.prefix, strings.Split(fields[3], ","))}
	}
	return all
}

// Titled is the comment.
func (PostgreSQL) Titled() string { return "comment" }

// Mails is none.
func (PostgreSQL) Mails() int { return 0 }

// Turn lets a role log in, or not.
func (s PostgreSQL) Turn(t *testing.T, username string, on bool) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`ALTER ROLE %q %s`, username, login(on)))
}

func login(on bool) string {
	if on {
		return "LOGIN"
	}
	return "NOLOGIN"
}

// Remove drops a role.
func (s PostgreSQL) Remove(t *testing.T, username string) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`DROP ROLE %q`, username))
}

// Retitle gives a role another comment.
func (s PostgreSQL) Retitle(t *testing.T, username, title string) {
	t.Helper()
	person := s.accounts(t, fmt.Sprintf(`r.rolname = '%s'`, username))[username].Person
	s.psql(t, fmt.Sprintf(`COMMENT ON ROLE %q IS E'%s\ntenure:%s'`, username, title, person))
}

// Put makes a role a member of another, or not.
func (s PostgreSQL) Put(t *testing.T, username, group string, in bool) {
	t.Helper()
	if in {
		s.psql(t, fmt.Sprintf(`GRANT %q TO %q`, s.prefix+group, username))
	} else {
		s.psql(t, fmt.Sprintf(`REVOKE %q FROM %q`, s.prefix+group, username))
	}
}

// Create makes a role.
func (s PostgreSQL) Create(t *testing.T, username, person string, on bool, _ ...string) {
	t.Helper()
	s.psql(t, fmt.Sprintf(`CREATE ROLE %q %s`, username, login(on)))
	if person != "" {
		s.psql(t, fmt.Sprintf(`COMMENT ON ROLE %q IS 'tenure:%s'`, username, person))
	}
}
