//go:build real

package activedirectory_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/internal/directory/directorytest"
	"github.com/tenurehq/tenure/secret"
)

// TestConformanceOfActiveDirectory runs the suite over a proxy that fails in
// between.
func TestConformanceOfActiveDirectory(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Conformance, all of it", d.root)
	groups := [2]string{"staff " + mark(), "Ingénieurs " + mark()}
	for _, name := range groups {
		d.newGroup(t, name, ou)
	}
	between := directorytest.TLS(t, strings.TrimPrefix(d.url, "ldaps://")+":636", trusting(t, d.ca), d.certificate(t))
	var refused atomic.Bool
	settings := d.settings(ou)
	settings["url"] = "ldaps://" + between.Address
	settings["password"] = secret.New(func() (string, error) {
		if refused.Load() {
			return "another", nil
		}
		return d.password, nil
	})
	connectortest.Run(t, connectortest.Target{
		Kind:  activedirectory.Kind,
		Proof: connector.Proof{Level: connector.ServerNotOurs, On: "Samba AD DC 4.17"},
		Open:  func(t *testing.T) connector.Connector { return d.open(t, settings) },
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
			Entitlements: true, ListEntitlements: true, ResetCredentials: true, List: true, Probe: true, LastUse: activedirectory.Kind.LastUse,
		},
		Entitlements:  groups,
		Attributes:    [2]string{"description", "department"},
		MaxText:       1000,
		Secrets:       []string{d.password, d.url, d.ca, ou},
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmployeeNumber: "employeeNumber", connector.ByEmail: "mail"},
		Seed: func(t *testing.T, account connector.Account) {
			request := ldap.NewAddRequest("CN="+account.Username+","+ou, nil)
			request.Attribute("objectClass", []string{"user"})
			request.Attribute("sAMAccountName", []string{account.Username})
			request.Attribute("employeeID", []string{account.ExternalID})
			require.NoError(t, d.asAdmin(t).Add(request))
		},
		Rename: func(t *testing.T, account connector.Account, username string) {
			conn := d.asAdmin(t)
			request := ldap.NewModifyRequest("<GUID="+account.ID+">", nil)
			request.Replace("sAMAccountName", []string{username})
			require.NoError(t, conn.Modify(request))
			require.NoError(t, conn.ModifyDN(ldap.NewModifyDNRequest("CN="+account.Username+","+ou, "CN="+username, true, "")))
		},
		Faults: connectortest.Faults{
			Heal:           func(*testing.T) { between.Heal(); refused.Store(false) },
			FailAfterApply: func(*testing.T) { between.Cut() },
			Unauthorize:    func(*testing.T) { refused.Store(true) },
			Stall:          func(*testing.T) { between.Stall() },
		},
		Deviations: map[connectortest.Deviation]string{
			connectortest.UsernamesRestricted: "sAMAccountName takes no plus and no quotation mark (MS-SAMR section 3.1.1.6)",
		},
	})
}
