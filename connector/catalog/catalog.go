// Package catalog lists the kinds of app that Tenure can talk to. A new kind needs one
// folder beside this one and one line here.
package catalog

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
	"github.com/tenurehq/tenure/connector/atlassian"
	"github.com/tenurehq/tenure/connector/entra"
	"github.com/tenurehq/tenure/connector/github"
	"github.com/tenurehq/tenure/connector/google"
	"github.com/tenurehq/tenure/connector/jit"
	"github.com/tenurehq/tenure/connector/ldap"
	"github.com/tenurehq/tenure/connector/manual"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/onelogin"
	"github.com/tenurehq/tenure/connector/postgres"
	"github.com/tenurehq/tenure/connector/salesforce"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/webhook"
	"github.com/tenurehq/tenure/connector/zoom"
)

var kinds = []connector.Kind{
	activedirectory.Kind,
	atlassian.Kind,
	entra.Kind,
	google.Kind,
	github.Kind,
	ldap.Kind,
	manual.Kind,
	memory.Kind,
	okta.Kind,
	onelogin.Kind,
	postgres.Kind,
	salesforce.Kind,
	scim.Kind,
	webhook.Kind,
	zoom.Kind,
}

func init() { //nolint:gochecknoinits // jit opens the other kinds, and proofs are of all
	kinds = append(kinds, jit.Kind(Lookup))
	for _, r := range proofs() {
		for i := range kinds {
			if kinds[i].Name == r.Kind {
				kinds[i].Proofs = append(kinds[i].Proofs, r.Proof)
			}
		}
	}
}

// Kinds returns every kind, sorted by name.
func Kinds() []connector.Kind {
	return slices.SortedFunc(slices.Values(kinds), func(a, b connector.Kind) int {
		return strings.Compare(a.Name, b.Name)
	})
}

// Lookup returns the kind of that name, as the configuration spells it.
func Lookup(name string) (connector.Kind, bool) {
	i := slices.IndexFunc(kinds, func(k connector.Kind) bool { return k.Name == name })
	if i < 0 {
		return connector.Kind{}, false
	}
	return kinds[i], true
}
