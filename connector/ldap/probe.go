package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// invalidSyntax is RFC 4511's code for a value that the attribute cannot have. The server
// then has not checked the right to write it.
const invalidSyntax = 21

// Controls that the root DSE may list (RFC 4512 section 5.1).
const (
	pagedResults   = "1.2.840.113556.1.4.319"    // RFC 2696
	passwordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy
)

// absent is a value that no attribute has: deleting it fails before it changes anything,
// with one code if the bind DN may write the attribute and another if not.
const absent = "tenure-tries-whether-it-may-write"

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	root, err := c.dir.Get(ctx, op, "", "supportedControl")
	if err != nil {
		return []connector.Finding{finding("may connect and bind", err)}
	}
	findings := []connector.Finding{{What: "may connect and bind"}}
	offers := func(control, what, problem string) {
		if slices.Contains(root.Texts("supportedControl"), control) {
			problem = ""
		}
		findings = append(findings, connector.Finding{What: what, Problem: problem})
	}
	offers(pagedResults, "offers paged searches", "it does not offer RFC 2696: listing is limited to what it returns at once")
	if c.lock.attribute == "pwdAccountLockedTime" {
		offers(passwordPolicy, "offers to lock accounts by password policy", "load the ppolicy overlay, or set disableAttribute to another attribute")
	}
	for _, dn := range []struct{ setting, dn string }{{"people", c.people}, {"leavers", c.leavers}} {
		if dn.dn == "" {
			continue
		}
		_, err := c.dir.Get(ctx, op, dn.dn, "objectClass")
		findings = append(findings, finding(fmt.Sprintf("may read the DN of setting %s", dn.setting), err))
	}
	findings = append(findings, c.probeAccount(ctx, op)...)
	if c.groups != nil {
		findings = append(findings, c.groups.probe(ctx, op))
	}
	return findings
}

// probeAccount checks the rights on the first account that it finds.
func (c *client) probeAccount(ctx context.Context, op string) []connector.Finding {
	for entry, err := range c.search(ctx, op, c.filter) {
		findings := []connector.Finding{finding("may search accounts", err)}
		if err != nil {
			return findings
		}
		_, err = c.shown(op, entry)
		findings = append(findings, finding("may read accounts' "+c.accountID, err))
		return append(findings, c.mayWrite(ctx, op, entry, c.externalID), c.mayWrite(ctx, op, entry, c.lock.attribute))
	}
	return []connector.Finding{{What: "may search accounts (there are none: what may be written shows only with `--write`)"}}
}

func (c *client) mayWrite(ctx context.Context, op string, entry *directory.Entry, attribute string) connector.Finding {
	value := absent
	if attribute == "pwdAccountLockedTime" {
		value = "000001020000Z" // the attribute takes times only; no lock has this one
	}
	err := c.dir.Modify(ctx, op, entry.DN, directory.Change{How: directory.Delete, Attribute: attribute, Values: []string{value}})
	if directory.Is(err, noSuchAttribute, invalidSyntax) {
		err = nil
	}
	return finding("may write accounts' "+attribute, err)
}

func (g *groups) probe(ctx context.Context, op string) connector.Finding {
	const what = "may search groups and write their members"
	for group, err := range g.search(ctx, op, "", nameAttribute) {
		if err == nil {
			member := absent
			if !g.byName {
				member = directory.Below(directory.RDN("cn", absent), group.DN)
			}
			err = g.dir.Modify(ctx, op, group.DN, directory.Change{Attribute: g.member, How: directory.Delete, Values: []string{member}})
			if directory.Is(err, noSuchAttribute) {
				err = nil
			}
		}
		return finding(what, err)
	}
	return connector.Finding{What: what, Problem: "there is no group of the class of setting groupClass below the DN of setting groups: check both"}
}

func finding(what string, err error) connector.Finding {
	var failed *connector.Error
	if errors.As(err, &failed) {
		return connector.Finding{What: what, Problem: failed.Message}
	}
	return connector.Finding{What: what}
}
