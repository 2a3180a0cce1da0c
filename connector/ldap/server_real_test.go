//go:build real

package ldap_test

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/ldap"
)

// fromEnv returns an environment variable that scripts/test-real sets.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}

// server is one database of the OpenLDAP that scripts/real/openldap starts, as its
// administrator sees it.
type server struct {
	suffix, url, password string
	bindDN, adminDN       string
	admin                 *goldap.Conn
}

func openServer(t *testing.T, suffix string) server {
	t.Helper()
	return server{
		suffix: suffix, url: fromEnv(t, "TENURE_REAL_LDAP_URL"), password: fromEnv(t, "TENURE_REAL_LDAP_PASSWORD"),
		bindDN: "cn=tenure," + suffix, adminDN: "cn=admin," + suffix,
	}.signedIn(t)
}

// open389 opens the 389 Directory Server that scripts/real/389ds starts.
func open389(t *testing.T) server {
	t.Helper()
	const manager = "cn=Directory Manager"
	return server{
		suffix: "dc=example", url: fromEnv(t, "TENURE_REAL_389_URL"), password: fromEnv(t, "TENURE_REAL_LDAP_PASSWORD"),
		bindDN: manager, adminDN: manager,
	}.signedIn(t)
}

func (s server) signedIn(t *testing.T) server {
	t.Helper()
	admin, err := goldap.DialURL(s.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close() })
	require.NoError(t, admin.Bind(s.adminDN, s.password))
	s.admin = admin
	return s
}

// settings returns the settings of a connector that binds without encryption.
func (s server) settings(more connector.Settings) connector.Settings {
	settings := connector.Settings{
		"url": s.url, "bindDN": s.bindDN, "password": s.password, "externalID": "description",
		"people": "ou=people," + s.suffix, "groups": "ou=groups," + s.suffix,
		"employeeNumber": "employeeNumber", "email": "mail", "pageSize": 100,
	}
	maps.Copy(settings, more)
	return settings
}

// dn asks the server for the DN of an account.
func (s server) dn(t *testing.T, accountID string) string {
	t.Helper()
	found, err := s.admin.Search(goldap.NewSearchRequest(s.suffix, goldap.ScopeWholeSubtree, 0, 0, 0, false, "(entryUUID="+accountID+")", []string{"1.1"}, nil))
	require.NoError(t, err)
	require.Len(t, found.Entries, 1)
	return found.Entries[0].DN
}

// tool runs one of OpenLDAP's own programs and returns what it prints.
func (s server) tool(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, append([]string{"-x", "-H", s.url}, arguments...)...).Output()
	return string(out), err
}

// membersOf returns the members of a group, as ldapsearch shows them.
func (s server) membersOf(t *testing.T, group string) []string {
	t.Helper()
	out, err := s.tool(t, "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-D", s.adminDN, "-w", s.password,
		"-b", "cn="+group+",ou=groups,"+s.suffix, "-s", "base", "member")
	require.NoError(t, err)
	var members []string
	for line := range strings.Lines(out) {
		if member, ok := strings.CutPrefix(line, "member: "); ok {
			members = append(members, strings.TrimSpace(member))
		}
	}
	return members
}

// lower returns DNs in lower case, since servers may write them in either case.
func lower(dns ...string) string { return strings.ToLower(strings.Join(dns, " ")) }

var everything = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
	Entitlements: true, ListEntitlements: true, ResetCredentials: true, List: true, Probe: true, LastUse: ldap.Kind.LastUse,
}

// target returns the suite's target for a connector with these settings.
func (s server) target(settings connector.Settings) connectortest.Target {
	deviations := map[connectortest.Deviation]string{}
	if s.bindDN != s.adminDN {
		deviations[connectortest.CredentialsDenied] = "the bind DN may not write userPassword"
	}
	on := "OpenLDAP 2.5"
	if s.suffix == "dc=example" {
		on = "389 Directory Server 2.3"
	}
	return connectortest.Target{
		Kind:  ldap.Kind,
		Proof: connector.Proof{Level: connector.ServerNotOurs, On: on},
		Open: func(t *testing.T) connector.Connector {
			c, err := ldap.Kind.Open(t.Context(), connector.Env{App: "directory"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities:  everything,
		Deviations:    deviations,
		Entitlements:  [2]string{"staff", "engineers"},
		Attributes:    [2]string{"title", "departmentNumber"},
		Secrets:       []string{s.password},
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmployeeNumber: "employeeNumber", connector.ByEmail: "mail"},
		Seed: func(t *testing.T, account connector.Account) {
			add := goldap.NewAddRequest("uid="+goldap.EscapeDN(account.Username)+",ou=people,"+s.suffix, nil)
			for name, value := range map[string]string{"objectClass": "inetOrgPerson", "cn": "x", "sn": "x", "uid": account.Username, "description": account.ExternalID} {
				add.Attribute(name, []string{value})
			}
			require.NoError(t, s.admin.Add(add))
		},
		Rename: func(t *testing.T, account connector.Account, username string) {
			require.NoError(t, s.admin.ModifyDN(goldap.NewModifyDNRequest(s.dn(t, account.ID), "uid="+goldap.EscapeDN(username), true, "")))
		},
	}
}
