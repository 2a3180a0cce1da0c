package activedirectory

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// List implements connector.Connector. It reads the groups' names first, so that an
// account costs no call of its own.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		names, err := c.groupNames(ctx)
		if err != nil {
			yield(connector.Account{}, err)
			return
		}
		for entry, err := range c.directory.Search(ctx, connector.OpList, directory.Query{
			Base: c.people, Scope: directory.Subtree, Filter: anyPerson, Attributes: append(c.wanted(), "memberOf"),
		}) {
			if err != nil {
				yield(connector.Account{}, c.misplaced(connector.OpList, err))
				return
			}
			if !yield(c.listed(ctx, entry, names)) {
				return
			}
		}
	}
}

// groupNames are the names of all groups, by DN in lower case.
func (c *client) groupNames(ctx context.Context) (map[string]string, error) {
	all, err := c.search(ctx, connector.OpList, c.groups, anyGroup, c.groupName)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(all))
	for _, group := range all {
		names[strings.ToLower(group.DN)] = group.Text(c.groupName)
	}
	return names, nil
}

// listed is an account with the groups that its memberOf tells of. One that is in
// more than the server sends at once has them in parts, under another name
// (MS-ADTS section 3.1.1.3.1.3.3), and is asked about.
func (c *client) listed(ctx context.Context, entry *directory.Entry, names map[string]string) (connector.Account, error) {
	inParts := func(name string) bool { return strings.HasPrefix(name, "memberof;") }
	if slices.ContainsFunc(entry.Names(), inParts) {
		return c.withEntitlements(ctx, connector.OpList, entry)
	}
	var has []string
	for _, dn := range entry.Texts("memberOf") {
		if name := names[strings.ToLower(dn)]; name != "" {
			has = append(has, name)
		}
	}
	slices.Sort(has)
	return c.account(connector.OpList, entry, slices.Compact(has))
}
