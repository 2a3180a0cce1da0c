package policy

import (
	"fmt"
	"slices"
	"strings"
)

// ProtectsPerson reports whether the person is protected: no automation touches their accounts,
// because they must be able to sign in when everything else fails.
func (p *Policy) ProtectsPerson(personID string) bool {
	return slices.Contains(p.protected, personID)
}

// ProtectsAccount reports whether one of the names, an account's username or its ID in the app,
// belongs to a protected account. It ignores case, as many apps do: an account that is
// protected by mistake is noticed, while one that is changed by mistake may not be. It ignores
// empty names.
func (p *Policy) ProtectsAccount(appName string, names ...string) bool {
	app, ok := p.apps[appName]
	if !ok {
		return false
	}
	return slices.ContainsFunc(app.protected, func(is string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(is, name) })
	})
}

// ProtectsSomething reports whether the app has protected people or accounts. If not, callers
// need not check accounts.
func (p *Policy) ProtectsSomething(appName string) bool {
	return len(p.protected) > 0 || p.ProtectsAccounts(appName)
}

// ProtectsAccounts reports whether the app has protected accounts, apart from those of
// protected people.
func (p *Policy) ProtectsAccounts(appName string) bool {
	app, ok := p.apps[appName]
	return ok && len(app.protected) > 0
}

// reserved reports whether a protected account in some app has a username, so that nobody else
// gets it.
func (p *Policy) reserved(username string) bool {
	return slices.ContainsFunc(p.names, func(app string) bool { return p.ProtectsAccount(app, username) })
}

// protected checks a list of protected people or accounts.
func (c *compiler) protected(path string, list []string) []string {
	for i, name := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if strings.TrimSpace(name) != name || name == "" {
			c.problems.add(at, "%q protects nothing: it is empty, or has blanks around it", name)
		}
		if slices.ContainsFunc(list[:i], func(earlier string) bool { return strings.EqualFold(earlier, name) }) {
			c.problems.add(at, "%q is there twice", name)
		}
	}
	return slices.Clone(list)
}
