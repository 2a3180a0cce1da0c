package activedirectory

import (
	"context"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Probe implements connector.Connector. It reads the attributes in which Active Directory
// shows the rights of the account that asks (constructed attributes: MS-ADTS section
// 3.1.1.4.5).
func (c *client) Probe(ctx context.Context) []connector.Finding {
	person, group := c.sample(ctx, c.people, anyPerson), c.sample(ctx, c.groups, directory.And(anyGroup, "(!(adminCount=1))"))
	findings := []connector.Finding{
		{What: "finds accounts", Problem: person.problem},
		{What: "finds groups", Problem: group.problem},
		c.may(ctx, "may make accounts in createIn", c.createIn, "allowedChildClassesEffective", "user",
			"delegate to it: create and delete user objects"),
	}
	if c.leavers != "" {
		findings = append(findings, c.may(ctx, "may move accounts to leavers", c.leavers, "allowedChildClassesEffective", "user",
			"delegate to it: create and delete user objects"))
	}
	if person.dn != "" {
		findings = append(findings,
			c.may(ctx, "may disable and enable accounts", person.dn, "allowedAttributesEffective", "userAccountControl",
				"delegate to it: write account restrictions of user objects"),
			c.may(ctx, "may mark accounts as a person's", person.dn, "allowedAttributesEffective", c.externalID,
				"delegate to it: write "+c.externalID+" of user objects"))
	}
	if group.dn != "" {
		findings = append(findings, c.may(ctx, "may change the members of groups", group.dn, "allowedAttributesEffective", "member",
			"delegate to it: modify the membership of groups"))
	}
	return findings
}

// sampled holds the DN of any one object, or why none was found.
type sampled struct{ dn, problem string }

func (c *client) sample(ctx context.Context, base, filter string) sampled {
	for entry, err := range c.directory.Search(ctx, connector.OpProbe, directory.Query{
		Base: base, Scope: directory.Subtree, Filter: filter, Attributes: []string{"objectGUID"},
	}) {
		if err != nil {
			return sampled{problem: c.misplaced(connector.OpProbe, err).Error()}
		}
		return sampled{dn: entry.DN}
	}
	return sampled{} // there is no object yet, which is no problem
}

// may returns a finding: the account that asks has a right if an attribute of the object
// holds value.
func (c *client) may(ctx context.Context, what, dn, attribute, value, advice string) connector.Finding {
	entry, err := c.directory.Get(ctx, connector.OpProbe, dn, attribute)
	switch {
	case err != nil:
		return connector.Finding{What: what, Problem: c.misplaced(connector.OpProbe, err).Error()}
	case !slices.Contains(entry.Texts(attribute), value):
		return connector.Finding{What: what, Problem: "the account that we bind as may not: " + advice}
	}
	return connector.Finding{What: what}
}
